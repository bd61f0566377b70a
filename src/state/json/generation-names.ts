/** The names of a state's generations, which say that a file is a state in use. */
import path from 'node:path';
import { namesIn } from '../../files/durable-files.ts';

/** What the names of a state file's generations and temporary files begin with. */
export function generationPrefix(stateFile: string): string {
  return `.${path.basename(stateFile)}.`;
}

/** Whether a file has generations beside it, or has the name of a generation. */
export function isStateOrGeneration(file: string): boolean {
  const prefix = generationPrefix(file);
  return (
    /^\..+\.\d{12}$/.test(path.basename(file)) ||
    namesIn(path.dirname(file)).some(
      (name) => name.startsWith(prefix) && /^\d{12}$/.test(name.slice(prefix.length)),
    )
  );
}
