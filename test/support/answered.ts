import { type AddressInfo, createServer, type Server } from 'node:net';

/** What a program prints and how it ends. */
export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Returns what the program does; undefined where it has to do it itself. */
export type Answering = (words: readonly string[]) => Answer | undefined | Promise<Answer | undefined>;

/** Ends what is asked: no word of a call is this one. */
const END = '\x04';
const servers = new Map<Answering, Promise<Server>>();

/**
 * Returns a program, in bash, for which this process answers: a Node for each call would take most of its time to start.
 *
 * Nothing here may wait for a call without letting it be answered (`spawnSync`).
 *
 * @param ask commands that print the words of the call, each with a NUL behind it
 * @param itself command that does the work where `answer` gives nothing
 */
export async function answeredProgram(answer: Answering, ask: string, itself = 'exit 97'): Promise<string> {
  const server = servers.get(answer) ?? listen(answer);
  servers.set(answer, server);
  const { port } = (await server).address() as AddressInfo;
  return `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/${port} || exit 97
{ ${ask}; printf '\\4\\0'; } >&3
IFS= read -r -d '' code <&3 || exit 97
if [ "$code" = itself ]; then
  exec 3>&-
  ${itself}
fi
IFS= read -r -d '' out <&3
IFS= read -r -d '' err <&3
printf '%s' "$err" >&2
printf '%s' "$out"
exit "$code"
`;
}

async function listen(answer: Answering): Promise<Server> {
  const listening = createServer((socket) => {
    // Whoever called may have been ended meanwhile.
    socket.on('error', () => undefined);
    let received = '';
    socket.setEncoding('utf8').on('data', async (part: string) => {
      received += part;
      if (!received.endsWith(`\0${END}\0`)) return;
      const given = await answerTo(answer, received.split('\0').slice(0, -2));
      socket.end(given ? `${given.code}\0${given.out}\0${given.err}\0` : 'itself\0');
    });
  });
  // It ends with the tests.
  listening.unref();
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  return listening;
}

/** What nobody taught it must look neither like a success nor like a failure of what it stands for. */
async function answerTo(answer: Answering, words: readonly string[]): Promise<Answer | undefined> {
  try {
    return await answer(words);
  } catch (error) {
    return { code: 97, out: '', err: String((error as Error).stack) };
  }
}
