/** The pipelines that `init` offers: folders of files, which are checked and formatted as all other code is. */
import fs from 'node:fs';
import path from 'node:path';

export const TEMPLATES = ['files', 'rss', 'http', 'postgres'] as const;

export type Template = (typeof TEMPLATES)[number];

export interface TemplateFile {
  /** Relative to the folder that it is written into. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every file of a template's folder. */
export function inTemplate(folder: string): TemplateFile[] {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ name: path.relative(folder, file), bytes: fs.readFileSync(file) }));
}
