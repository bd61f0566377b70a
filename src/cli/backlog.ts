/** Keys that were there before an asset was automated: said once, with the command that makes them. */
import { counted, shellQuoted } from '../model/text.ts';
import type { Project } from './project.ts';

/** Puts the pipeline on record, and says what has become a backlog by that. */
export async function backlogOf(project: Project): Promise<string[]> {
  const before = (await project.store.read({})).pipeline;
  const { assets } = await project.loadedAsKnown();
  const wasAutomated = new Set(
    before?.assets.flatMap(({ name, automate }) => (automate === undefined ? [] : [name])),
  );
  await project.remember();
  const news = assets.filter(({ name, automate }) => automate !== undefined && !wasAutomated.has(name));
  const queries = news.map(({ name, set }) => ({ asset: name, set }));
  const view = await project.store.read({ counts: queries });
  return queries.flatMap((query) => {
    const { backlog } = view.counts(query);
    if (backlog === 0) return [];
    const { asset, set } = query;
    const keys = `${counted(backlog, 'key')} of '${set}' ${backlog === 1 ? 'was' : 'were'} there`;
    return [
      `${keys} before '${asset}' was automated; to make them as well: dynpart materialize ${shellQuoted(asset, 'ASSET')} --missing`,
    ];
  });
}
