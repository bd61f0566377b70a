/** Markdown as plain text, in lines of a width. */

/** Programs keep their lines; links lose where they lead. */
export function plainText(markdown: string, width: number): string {
  const blocks = markdown.split(/\n{2,}/);
  return blocks.map((block) => inLines(block, width)).join('\n\n');
}

function inLines(block: string, width: number): string {
  if (/^(?:```|\|)/m.test(block)) return kept(block);
  return block
    .split(/^(?=- )/m)
    .map((part) => (part.startsWith('- ') ? listed(part, width) : wrapped(part, width)))
    .join('\n');
}

function kept(block: string): string {
  return unlinked(block)
    .split('\n')
    .filter((line) => !line.startsWith('```'))
    .map((line) => `  ${line}`)
    .join('\n');
}

function listed(item: string, width: number): string {
  return `  - ${wrapped(item.slice(2), width - 4).replaceAll('\n', '\n    ')}`;
}

function wrapped(block: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of unlinked(block).trim().split(/\s+/)) {
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
