/** A part of the release page, from which both its HTML and its Markdown are written. */
export interface PageSection {
  /** For links; unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** What a section is made of. Texts may hold `code`, **strong words** and [links](address), nothing else. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly string[] }
  /** To be copied as it stands; `label` says what it is to whoever cannot see it. */
  | { readonly kind: 'commands'; readonly label: string; readonly text: string }
  | {
      readonly kind: 'table';
      readonly label: string;
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  /** Folded until somebody opens it. */
  | { readonly kind: 'folded'; readonly title: string; readonly blocks: readonly Block[] }
  /** A drawing for the HTML alone: what it shows must stand in the text as well. */
  | { readonly kind: 'picture'; readonly svg: string };

/** A piece of text: as it is, as code, strong, or a link. */
export type Inline =
  | { readonly kind: 'plain' | 'code' | 'strong'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly address: string };

/**
 * Returns the pieces of a block's text.
 *
 * @example inlineParts('run `id` now') // plain 'run ', code 'id', plain ' now'
 */
export function inlineParts(text: string): Inline[] {
  const parts: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(/`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^()\s]+)\)/g)) {
    if (match.index > end) parts.push({ kind: 'plain', text: text.slice(end, match.index) });
    const [, code, strong, link, address] = match;
    if (code !== undefined) parts.push({ kind: 'code', text: code });
    else if (strong !== undefined) parts.push({ kind: 'strong', text: strong });
    else parts.push({ kind: 'link', text: link as string, address: address as string });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: 'plain', text: text.slice(end) });
  return parts;
}
