import { type Block, inlineParts, type PageSection } from './blocks.ts';
import { escapeHtml } from './escape.ts';
import { STYLE } from './style.ts';

/** What stands above the sections. */
export interface PageHead {
  readonly title: string;
  readonly summary: string;
}

/**
 * Returns sections as one page that needs nothing else: no address is fetched (its policy forbids it), and no script runs.
 *
 * Landmarks, headings in order, captions, and what scrolls can be reached by keyboard: WCAG 2.2, 1.3.1, 2.1.1, 2.4.1.
 */
export function renderHtml({ title, summary }: PageHead, sections: readonly PageSection[]): string {
  const links = sections.map((section) => `<li><a href="#${section.id}">${escapeHtml(section.title)}</a></li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>
${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${inline(summary)}</p>
<nav aria-label="On this page"><ul>
${links.join('\n')}
</ul></nav>
</header>
<main id="main">
${sections.map(section).join('\n')}
</main>
</body>
</html>
`;
}

const section = ({ id, title, blocks }: PageSection) =>
  `<section aria-labelledby="${id}">\n<h2 id="${id}">${escapeHtml(title)}</h2>\n${blocks.map(block).join('\n')}\n</section>`;

function block(one: Block): string {
  switch (one.kind) {
    case 'text':
      return `<p>${inline(one.text)}</p>`;
    case 'warning':
      return `<p class="warning"><strong>Warning.</strong> ${inline(one.text)}</p>`;
    case 'list': {
      const tag = one.ordered ? 'ol' : 'ul';
      return `<${tag}>\n${one.items.map((item) => `<li>${inline(item)}</li>`).join('\n')}\n</${tag}>`;
    }
    case 'commands':
      return `<pre tabindex="0" role="region" aria-label="${escapeHtml(one.label)}">${escapeHtml(one.text)}</pre>`;
    case 'table':
      return table(one);
    case 'folded':
      return `<details><summary>${escapeHtml(one.title)}</summary>\n${one.blocks.map(block).join('\n')}\n</details>`;
    case 'picture':
      return `<figure>${one.svg}</figure>`;
    default: {
      const never: never = one;
      return never;
    }
  }
}

function table({ label, head, rows }: Extract<Block, { kind: 'table' }>): string {
  const body = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell) => `<td>${inline(cell)}</td>`);
    return `<tr><th scope="row">${inline(first)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="${escapeHtml(`Table: ${label}`)}"><table>
<thead><tr>${head.map((cell) => `<th scope="col">${inline(cell)}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div>`;
}

function inline(text: string): string {
  return inlineParts(text)
    .map((part) => {
      switch (part.kind) {
        case 'plain':
          return escapeHtml(part.text);
        case 'code':
          return `<code>${escapeHtml(part.text)}</code>`;
        case 'strong':
          return `<strong>${escapeHtml(part.text)}</strong>`;
        case 'link':
          // Folders of the kit, beside this page only once it is unpacked, are named and not linked.
          return /^(https:|#)/.test(part.address)
            ? `<a href="${escapeHtml(part.address)}">${escapeHtml(part.text)}</a>`
            : escapeHtml(part.text);
        default: {
          const never: never = part;
          return never;
        }
      }
    })
    .join('');
}
