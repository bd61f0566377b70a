/** Cuts lines to a terminal's width. */
import { beginning, widthOf } from './table.ts';

/** A cut that leaves `columns` places at most. Commands in a line that is cut can be seen in a wider terminal, or in a pipe. */
export async function fitted(columns: number): Promise<(line: string) => string> {
  const width = await widthOf();
  return (line) => {
    const one = line.replaceAll(/[\n\t]/g, ' ');
    return width(one) <= columns ? one : `${beginning(one, columns - 1, width)}…`;
  };
}
