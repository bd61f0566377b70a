/** Markdown as plain text, in lines of a width. */

/** Programs and lists keep their lines; links lose where they lead. */
export function plainText(markdown: string, width: number): string {
  const blocks = markdown.split(/\n{2,}/);
  return blocks.map((block) => (isKept(block) ? kept(block) : wrapped(block, width))).join('\n\n');
}

function isKept(block: string): boolean {
  return /^(?:```|- |\|)/m.test(block);
}

function kept(block: string): string {
  return unlinked(block)
    .split('\n')
    .filter((line) => !line.startsWith('```'))
    .map((line) => `  ${line}`)
    .join('\n');
}

function wrapped(block: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of unlinked(block).split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

function unlinked(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}
