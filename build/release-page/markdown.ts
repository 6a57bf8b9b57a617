import type { Block, PageSection } from './blocks.ts';
import { escapeHtml } from './escape.ts';

/** Returns sections as GitHub's Markdown, for the body of a release. */
export function renderMarkdown(sections: readonly PageSection[]): string {
  return `${sections.map(({ title, blocks }) => `## ${title}\n\n${blocks.flatMap(block).join('\n\n')}`).join('\n\n')}\n`;
}

/** Returns a block, or nothing for one that GitHub would not show. */
function block(one: Block): string[] {
  switch (one.kind) {
    case 'text':
      return [one.text];
    case 'warning':
      return [`> [!WARNING]\n> ${one.text}`];
    case 'list':
      return [one.items.map((item, index) => `${one.ordered ? `${index + 1}.` : '-'} ${item}`).join('\n')];
    case 'commands':
      return [`\`\`\`text\n${one.text}\n\`\`\``];
    case 'table':
      return [[row(one.head), row(one.head.map(() => '---')), ...one.rows.map(row)].join('\n')];
    case 'folded':
      return [
        `<details><summary>${escapeHtml(one.title)}</summary>\n\n${one.blocks.flatMap(block).join('\n\n')}\n\n</details>`,
      ];
    case 'picture':
      return [];
    default: {
      const never: never = one;
      return never;
    }
  }
}

const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
