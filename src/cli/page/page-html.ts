/** The page as one HTML file: what the build made of `src/page/`, with the data in it. It loads nothing. */
import fs from 'node:fs';
import path from 'node:path';
import { clean } from '../../model/text.ts';
import type { PageData } from '../../report/page-data.ts';

/** What a page of dynpart's making says of itself, so that a newer one may take its place. */
const MARK = '<meta name="generator" content="dynpart status" />';

/** Whether a file that begins so is such a page. */
export function isStatusHtml(head: string): boolean {
  return head.startsWith('<!DOCTYPE html>') && head.includes(MARK);
}

/** Reads what the build made, for as many pages as are wanted. @param ownFolder that of everything that was built */
export function pageTemplate(ownFolder: string): (data: PageData) => string {
  const [head, rest] = halves(fs.readFileSync(path.join(ownFolder, 'page.html'), 'utf8'), '@CONNECT@');
  const [middle, end] = halves(rest, '@DATA@');
  // Functions of `replace` and the like would read signs of the data as theirs: it is put together by hand.
  return (data) => head + (data.isLive ? "'self'" : "'none'") + middle + dataJson(data) + end;
}

/** The policy that a page has in itself, to be sent with it as well: who frames a page can only be said there. */
export function policyOf(page: string): string {
  return /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!;
}

function halves(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`page.html has no ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/**
 * JSON that can be read by people, a part a line, and by nothing but a parser of JSON: no `<` that could end the element or
 * begin a comment, nothing that turns the reading direction.
 */
function dataJson(data: PageData): string {
  const parts = Object.entries(data).map(([name, part]) => `${JSON.stringify(name)}: ${lined(part)}`);
  return clean(`{\n${parts.join(',\n')}\n}`).replaceAll('<', '\\u003c');
}

/** Lists have a line for each of their entries. */
function lined(part: unknown): string {
  if (!Array.isArray(part) || part.length === 0) return JSON.stringify(part);
  return `[\n${part.map((one) => JSON.stringify(one)).join(',\n')}\n]`;
}
