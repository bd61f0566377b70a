/** `dynpart state export`: a copy of the state, as one consistent document. */
import { fail } from '../../model/failure.ts';
import { clean } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { ExportedState } from '../json-results.ts';
import { writeFile } from '../write-file.ts';

export async function run(
  context: Context,
  _: object,
  file: string | undefined,
): Promise<ExportedState | null> {
  const { output, project } = context;
  const document = await project.store.document();
  const text = `${JSON.stringify(document)}\n`;
  if (file === undefined || file === '-') {
    if (output.options.json)
      fail({
        reason: 'usage',
        message: 'with --json the copy needs a file of its own',
        hint: 'dynpart state export FILE --json',
      });
    output.print(text);
    return null;
  }
  // What no restore would take is no copy.
  if (document.serial === 0)
    fail({
      reason: 'usage',
      message: `there is no state yet in ${project.place}`,
      hint: 'the first tick, or partitions add, makes it',
    });
  const target = writeFile(context, file, {
    content: text,
    // A copy of another state may be the only one that there is.
    isOwn: (head) => head.startsWith('{"schema":') && head.includes(`"lineage":"${document.lineage}"`),
  });
  output.chat(`serial ${document.serial} written to ${clean(target)}`);
  return { file: target, serial: document.serial };
}
