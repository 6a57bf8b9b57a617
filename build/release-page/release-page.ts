import { renderHtml } from './html.ts';
import { renderMarkdown } from './markdown.ts';
import { type PageInput, releaseSections } from './sections.ts';

/** The page of a release, as one file for a browser and as the body of the release on GitHub: the same words. */
export interface ReleasePage {
  readonly html: string;
  readonly markdown: string;
}

/** Returns the page of a finished release. The same input gives the same bytes. */
export function releasePage(input: PageInput): ReleasePage {
  const { title, version } = input.kit.facts;
  const sections = releaseSections(input);
  const summary = `${title} is a login plug-in for macOS: at the next login it makes a new FileVault recovery key, so that your MDM has the one it is missing. No prompt, no server.`;
  return { html: renderHtml({ title: `${title} ${version}`, summary }, sections), markdown: renderMarkdown(sections) };
}
