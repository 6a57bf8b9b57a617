import { escapeHtml } from './escape.ts';

/** A step of a login, and what ends the attempt there; the login itself always goes on. */
export interface LoginStep {
  readonly title: string;
  readonly note: string;
  /** What makes the login go on without a new key from here. */
  readonly otherwise?: string;
}

const BOX = { x: 8, width: 248, height: 54, gap: 30 } as const;
/** Where the way of a login without a new key runs down. */
const RAIL = 404;
const WIDTH = 412;

/**
 * Returns a drawing of a login: a column of steps, and at the right the way that it takes when a step says no. The last step is
 * reached either way. Colours are those of the page.
 */
export function loginPicture(steps: readonly LoginStep[], label: string): string {
  const top = (index: number) => 4 + index * (BOX.height + BOX.gap);
  const last = steps.length - 1;
  const middle = BOX.x + BOX.width / 2;
  const lastMiddle = top(last) + BOX.height / 2;
  const boxes = steps.map(({ title, note, otherwise }, index) => {
    const y = top(index);
    const side = y + BOX.height / 2;
    const right = BOX.x + BOX.width;
    return [
      `<rect class="${index === last ? 'end' : 'box'}" x="${BOX.x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8"/>`,
      `<text class="head" x="${BOX.x + 12}" y="${y + 22}">${escapeHtml(title)}</text>`,
      `<text class="note" x="${BOX.x + 12}" y="${y + 41}">${escapeHtml(note)}</text>`,
      index < last
        ? `<path class="way" d="M${middle} ${y + BOX.height}V${top(index + 1) - 6}"/>${tip(middle, top(index + 1), 'down')}`
        : '',
      otherwise === undefined
        ? ''
        : `<path class="way" d="M${right} ${side}H${RAIL}"/><text class="note" x="${right + 8}" y="${side - 7}">${escapeHtml(otherwise)}</text>`,
    ].join('');
  });
  const first = steps.findIndex(({ otherwise }) => otherwise !== undefined);
  const rail = `<path class="way" d="M${RAIL} ${top(first) + BOX.height / 2}V${lastMiddle}H${BOX.x + BOX.width + 6}"/>${tip(BOX.x + BOX.width, lastMiddle, 'left')}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top(last) + BOX.height + 4}" role="img" aria-label="${escapeHtml(label)}">${boxes.join('')}${rail}</svg>`;
}

function tip(x: number, y: number, towards: 'down' | 'left'): string {
  const corners = towards === 'down' ? `${x - 5},${y - 8} ${x + 5},${y - 8}` : `${x + 8},${y - 5} ${x + 8},${y + 5}`;
  return `<polygon class="tip" points="${x},${y} ${corners}"/>`;
}
