// Loaded before the command line: sends the process the SIGNALS (names with commas between) within its write of the words SIGNALS_AT,
// before anything that follows is done; with SIGNALS_TO=0 its whole group. Whoever reads the words first may send too late on a busy
// machine.
const { SIGNALS, SIGNALS_AT, SIGNALS_TO = process.pid } = process.env;
const write = process.stderr.write.bind(process.stderr);
let said = '';
process.stderr.write = (part, ...rest) => {
  const before = said.includes(SIGNALS_AT);
  said += part;
  const written = write(part, ...rest);
  if (!before && said.includes(SIGNALS_AT))
    for (const signal of SIGNALS.split(',')) process.kill(Number(SIGNALS_TO), signal);
  return written;
};
