// An independent look at a signed package before any Mac sees it: does it hold what this checkout's sources make, and nothing else?
//
//   node build/look/independent-look.mjs PACKAGE [--kind product|guard|uninstall|request] [--team ABCDE12345 | --rehearsal] [--epoch SECONDS]
//
// One file, Node.js's own modules, clang and ld64.lld; no npm package, and not a line of this project's other code: whatever a
// poisoned dependency did to the package, it does not run here. Signatures are left aside: who signed is for `verify` and the Macs.
// Made for packages of the portable tools. Exit 0: the same. 6: every difference, one a line. 2: it could not be looked at.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync, inflateSync } from 'node:zlib';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kind: { type: 'string', default: 'product' },
    team: { type: 'string' },
    rehearsal: { type: 'boolean' },
    epoch: { type: 'string' },
    root: { type: 'string', default: ROOT },
  },
});
const SCRIPTS = {
  product: { preinstall: 'preinstall.sh', postinstall: 'postinstall.sh', 'guard.sh': 'guard.sh' },
  guard: { postinstall: 'guard-postinstall.sh', 'guard.sh': 'guard.sh' },
  uninstall: { postinstall: 'uninstall-postinstall.sh' },
  request: { postinstall: 'request-postinstall.sh' },
};
const RESOURCES = ['AuthDBSetup.sh', 'AuthDBTeardown.sh', 'status.sh', 'uninstall.sh'];
if (positionals.length !== 1 || !SCRIPTS[options.kind])
  stop(
    'use: independent-look.mjs PACKAGE [--kind product|guard|uninstall|request] [--team TEAM | --rehearsal] [--epoch SECONDS]',
  );
// What comes after takes the same words for a pattern or for a list of files, and would mean others than the one that is looked at.
if (!/^[\w./-]+\.pkg$/.test(positionals[0]))
  stop(
    `letters, digits, '.', '_', '-' and '/' are all that the path of a package may have: ${JSON.stringify(positionals[0])}`,
  );

const findings = [];
const find = (words) => findings.push(words);
const text = (path) => readFileSync(join(options.root, path), 'utf8');
const config = JSON.parse(text('release.config.json'));
const version = JSON.parse(text('package.json')).version;
const team = options.team ?? config.signing.teamIdentifier;
// A try of the workflows: its configuration names the rehearsal's team, which no Mac trusts.
options.rehearsal ||= team === 'REHEARSAL0';
if (!options.rehearsal && !/^[A-Z0-9]{10}$/.test(team ?? '')) stop('whose team signed? give --team, or --rehearsal');
const epoch = Number(options.epoch ?? git('log', '-1', '--no-show-signature', '--pretty=%ct'));
const bundle = config.bundle.name;
const name = bundle.replace(/\.bundle$/, '');
const [major, minor, patch] = version.split('.').map(Number);
const bundleVersion = String(major * 10_000 + minor * 100 + patch);
const identifier = {
  product: config.package.identifier,
  guard: config.package.guardIdentifier,
  uninstall: config.package.uninstallIdentifier,
  request: config.package.requestIdentifier,
}[options.kind];

function stop(words) {
  process.stderr.write(`independent look: ${words}\n`);
  process.exit(2);
}

function git(...argv) {
  return execFileSync('git', ['-C', options.root, ...argv], { encoding: 'utf8' }).trim();
}

function look(file) {
  const members = openXar(file);
  const folder = `${identifier}.pkg`;
  const inside = ['Bom', 'Payload', 'Scripts', 'PackageInfo'].map((member) => `${folder}/${member}`);
  compareNames('member', [...members.keys()], ['Distribution', folder, ...inside]);
  const entries = readCpio(unzip(members.get(`${folder}/Payload`), 'Payload'), 'Payload');
  compareScripts(readCpio(unzip(members.get(`${folder}/Scripts`), 'Scripts'), 'Scripts'));
  comparePayload(entries);
  compareBom(members.get(`${folder}/Bom`), entries);
  const counts = { numberOfFiles: String(entries.length), installKBytes: String(kilobytes(entries)) };
  compareXml('PackageInfo', members.get(`${folder}/PackageInfo`), packageInfo(counts));
  compareXml('Distribution', members.get('Distribution'), distribution(counts.installKBytes));
}

// ---- the archive: xar ----

/** Returns the bytes of each member by its path; what the table of contents says of them must be all there is. */
function openXar(file) {
  if (file.toString('latin1', 0, 4) !== 'xar!' || file.readUInt16BE(4) !== 28)
    throw new Error('this is not a xar archive');
  const size = Number(file.readBigUInt64BE(8));
  const packed = file.subarray(28, 28 + size);
  const heap = file.subarray(28 + size);
  const toc = readXml(inflateSync(packed).toString('utf8')).children.find(({ tag }) => tag === 'toc');
  const ranges = [];
  for (const node of toc.children) {
    if (['checksum', 'signature', 'x-signature'].includes(node.tag)) ranges.push([...place(node, 'size'), node.tag]);
    else if (!['file', 'creation-time', 'signature-creation-time'].includes(node.tag))
      find(`an unknown part: ${node.tag}`);
  }
  const members = new Map();
  takeMembers(toc.children, '', { heap, ranges, members });
  let end = 0;
  for (const [offset, length, what] of ranges.sort((a, b) => a[0] - b[0])) {
    if (offset !== end)
      find(`bytes that belong to nothing, or to two, before ${what} (${end} to ${offset} of the archive's data)`);
    end = offset + length;
  }
  if (!createHash('sha1').update(packed).digest().equals(heap.subarray(0, 20)))
    find('the table of contents has another digest');
  // A notary's ticket ends with these letters; it says nothing that a Mac runs.
  const isTicket = file.subarray(-16).includes('t8lr');
  if (end !== heap.length && !isTicket) find(`${heap.length - end} bytes follow the archive and are not a ticket`);
  return members;
}

const MEMBER_PARTS = 'name type data file ctime mtime atime group gid user uid mode deviceno inode'.split(' ');
const place = (node, length) => ['offset', length].map((tag) => Number(child(node, tag)?.text));

/** Puts the members among some elements of the table of contents, and those below them, into `members`. */
function takeMembers(nodes, above, into) {
  for (const node of nodes.filter(({ tag }) => tag === 'file')) {
    const path = above + child(node, 'name').text;
    if (into.members.has(path)) find(`member ${path} is there twice`);
    const kind = child(node, 'type').text;
    if (kind !== 'file' && kind !== 'directory') find(`member ${path} is a ${kind}`);
    for (const { tag } of node.children)
      if (!MEMBER_PARTS.includes(tag)) find(`member ${path} has an unknown part: ${tag}`);
    const data = child(node, 'data');
    into.members.set(path, data ? memberData(data, path, into) : Buffer.alloc(0));
    takeMembers(node.children, `${path}/`, into);
  }
}

function memberData(data, path, { heap, ranges }) {
  const [offset, length] = place(data, 'length');
  ranges.push([offset, length, path]);
  const bytes = heap.subarray(offset, offset + length);
  return child(data, 'encoding').attributes.style === 'application/octet-stream' ? bytes : inflateSync(bytes);
}

function child(node, tag) {
  return node.children.find((one) => one.tag === tag);
}

/** Elements, attributes and text; nothing else is allowed but the first line, a document type and comments. */
function readXml(source) {
  const root = { tag: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const decode = (words) =>
    words.replace(
      /&(lt|gt|amp|quot|apos);/g,
      (_, entity) => ({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" })[entity],
    );
  const token =
    /<\?xml[^>]*\?>|<!DOCTYPE[^>[]*>|<!--[\s\S]*?-->|<\/([\w:-]+)>|<([\w:-]+)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
  for (let at = 0; at < source.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(source);
    if (!match) throw new Error(`XML that is not plain: ${source.slice(at, at + 40)}`);
    const [, closing, opening, attributes, selfClosing, words] = match;
    const top = open.at(-1);
    if (words !== undefined) top.text += decode(words);
    if (closing !== undefined && open.pop().tag !== closing) throw new Error(`XML closes ${closing} that is not open`);
    if (opening === undefined) continue;
    const pairs = [...attributes.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, key, value]) => [key, decode(value)]);
    const node = { tag: opening, attributes: Object.fromEntries(pairs), children: [], text: '' };
    top.children.push(node);
    if (selfClosing !== '/') open.push(node);
  }
  if (open.length !== 1 || root.children.length !== 1) throw new Error('XML that is cut off');
  return root.children[0];
}

// ---- payload and scripts: gzip, cpio ----

function unzip(data, what) {
  const plain = gunzipSync(data);
  // Size of the one member that ends the file; a second one behind it would be read by some and not by others.
  if (data.readUInt32LE(data.length - 4) !== plain.length) find(`${what} is more than one gzip member`);
  return plain;
}

function readCpio(archive, what) {
  const entries = [];
  for (let at = 0; ; ) {
    const octal = (offset, length) => Number.parseInt(archive.toString('latin1', at + offset, at + offset + length), 8);
    if (archive.toString('latin1', at, at + 6) !== '070707') throw new Error(`${what} is not a cpio archive at ${at}`);
    const [mode, uid, gid, links, mtime, nameSize, size] = [
      octal(18, 6),
      octal(24, 6),
      octal(30, 6),
      octal(36, 6),
      octal(48, 11),
      octal(59, 6),
      octal(65, 11),
    ];
    const path = archive.toString('utf8', at + 76, at + 76 + nameSize - 1);
    const data = archive.subarray(at + 76 + nameSize, at + 76 + nameSize + size);
    at += 76 + nameSize + size;
    if (path === 'TRAILER!!!') {
      if (archive.subarray(at).some((byte) => byte !== 0)) find(`${what} has bytes behind its end`);
      return entries;
    }
    entries.push({ path, mode, uid, gid, links, mtime, data });
  }
}

/** Holds entries to a table of path and mode, and files to their contents. */
function compareEntries(what, entries, modes, contents, owner) {
  compareNames(
    what,
    entries.map(({ path }) => path),
    Object.keys(modes),
  );
  for (const { path, mode, uid, gid, links, mtime, data } of entries) {
    if (!(path in modes)) continue;
    const kind = contents.has(path) ? 0o100000 : 0o040000;
    if (mode !== (kind | modes[path]))
      find(`${what} ${path} has mode ${mode.toString(8)}, not ${(kind | modes[path]).toString(8)}`);
    if (uid !== owner.uid || gid !== owner.gid) find(`${what} ${path} belongs to ${uid}:${gid}`);
    // Of a second name a reader could take the contents for those of the first.
    if (contents.has(path) && links !== 1) find(`${what} ${path} has ${links} names`);
    if (mtime !== epoch) find(`${what} ${path} has the time ${mtime}, not the commit's, ${epoch}`);
    const expected = contents.get(path);
    if (typeof expected === 'string') compareText(`${what} ${path}`, data.toString('utf8'), expected);
  }
}

function compareNames(what, found, expected) {
  for (const path of found) if (!expected.includes(path)) find(`${what} ${path} is not one of the sources make`);
  for (const path of expected) if (!found.includes(path)) find(`${what} ${path} is missing`);
  if (new Set(found).size !== found.length) find(`a ${what} is there twice`);
}

function compareText(what, found, expected) {
  if (found === expected) return;
  const [ours, theirs] = [expected.split('\n'), found.split('\n')];
  const line = ours.findIndex((words, index) => words !== theirs[index]);
  const at = line === -1 ? ours.length : line;
  find(
    `${what}, line ${at + 1}: ${JSON.stringify(theirs[at] ?? 'nothing')}, the sources make ${JSON.stringify(ours[at] ?? 'nothing')}`,
  );
}

function comparePayload(entries) {
  const { owner, payload } = JSON.parse(text('payload/permissions.json'));
  const modes = { '.': Number.parseInt(payload['.'], 8) };
  const contents = new Map();
  if (options.kind === 'product') {
    for (const [path, mode] of Object.entries(payload)) if (path !== '.') modes[`./${path}`] = Number.parseInt(mode, 8);
    const at = (path) => `./${bundle}/Contents/${path}`;
    for (const script of RESOURCES) contents.set(at(`Resources/${script}`), render(script));
    for (const path of ['Info.plist', `MacOS/${config.bundle.executable}`, '_CodeSignature/CodeResources'])
      contents.set(at(path), true);
    const data = (path) => entries.find((entry) => entry.path === at(path))?.data ?? Buffer.alloc(0);
    comparePlist(data('Info.plist').toString('utf8'));
    compareSeal(data('_CodeSignature/CodeResources').toString('utf8'), (path) => data(path));
    compareCode(data(`MacOS/${config.bundle.executable}`));
  }
  compareEntries('payload', entries, modes, contents, owner);
}

function compareScripts(entries) {
  const { owner, scripts } = JSON.parse(text('payload/permissions.json'));
  const modes = { '.': Number.parseInt(scripts['.'], 8) };
  const contents = new Map();
  for (const [path, template] of Object.entries(SCRIPTS[options.kind])) {
    modes[`./${path}`] = Number.parseInt(scripts[path] ?? scripts['*'], 8);
    contents.set(`./${path}`, render(template));
  }
  compareEntries('script', entries, modes, contents, owner);
}

// ---- scripts: templates, includes, values ----

/** Returns the lines of a template with those of its includes in their places, in parts that a blank line parts. */
function parts(file) {
  const found = [[]];
  for (const line of text(`scripts/${file}`).trimEnd().split('\n')) {
    const include = /^# @include (\S+)$/.exec(line);
    if (include) found.push(...parts(include[1]), []);
    else if (!line.startsWith('# shellcheck shell=')) found.at(-1).push(line);
  }
  return found;
}

/** Returns a script as the sources make it: what is defined and never named is left out with the comment above it. */
function render(template) {
  const blocks = parts(template).map((lines) => {
    const own = [];
    for (let at = 0; at < lines.length; ) {
      let head = at;
      while (/^#(?!!)/.test(lines[head] ?? '')) head++;
      const first = lines[head] ?? '';
      const isFunction = /^([a-z_]+)\(\) \{$/.exec(first);
      const isVariable = /^([A-Z_]+)=(?:[^'"\s]*|'[^']*'|"[^"]*")(?:\s+#.*)?$/.exec(first);
      const end = isFunction ? lines.indexOf('}', head) + 1 : Math.max(head + 1, at + 1);
      const body = lines.slice(at, end);
      const code = body.filter((line) => !/^\s*(#|$)/.test(line)).join('\n');
      own.push({ name: (isFunction ?? isVariable)?.[1], code, body });
      at = end;
    }
    return own;
  });
  const all = blocks.flat();
  const kept = new Set(all.filter((block) => block.name === undefined));
  for (const block of kept)
    for (const word of block.code.match(/\w+/g) ?? []) for (const one of all) if (one.name === word) kept.add(one);
  const lines = blocks.flatMap((own) => [
    ...own.filter((block) => kept.has(block)).flatMap(({ body }) => body.map(fill)),
    '',
  ]);
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function fill(line) {
  const match = /^([A-Z_]+)=@([A-Z_]+)@$/.exec(line);
  if (!match) return line;
  const value = scriptValues()[match[2]];
  if (value === undefined)
    stop(`scripts ask for @${match[2]}@, which this look does not know: tell it in scriptValues`);
  return `${match[1]}='${value.replaceAll("'", "'\\''")}'`;
}

function scriptValues() {
  const anyCase = [...name]
    .map((c) => (/[a-z]/i.test(c) ? `[${c.toUpperCase()}${c.toLowerCase()}]` : `[${c}]`))
    .join('');
  return {
    PRODUCT_NAME: config.product.title,
    LOGIN_RIGHT: config.authorization.right,
    VERSION: version,
    DOMAIN: config.bundle.identifier,
    PACKAGE_IDENTIFIER: config.package.identifier,
    GUARD_IDENTIFIER: config.package.guardIdentifier,
    UNINSTALL_IDENTIFIER: config.package.uninstallIdentifier,
    REQUEST_IDENTIFIER: config.package.requestIdentifier,
    PLUG_IN_FOLDER: config.package.installLocation,
    BUNDLE: `${config.package.installLocation}/${bundle}`,
    EXECUTABLE: name,
    BUNDLE_NAME_ANY_CASE: anyCase,
    MECHANISM: config.authorization.mechanism,
    ANCHOR: config.authorization.before,
    MINIMUM_MACOS: config.macOS.installer,
    CODE_REQUIREMENT: requirement(),
  };
}

/** What the scripts hold a bundle's signature to: Apple's Developer ID and this team. A rehearsal names its own root. */
function requirement() {
  const own = `identifier "${config.bundle.identifier}"`;
  if (options.rehearsal) return `${own} and certificate root = H"${rehearsalRoot()}"`;
  const marks = 'certificate 1[field.1.2.840.113635.100.6.2.6] and certificate leaf[field.1.2.840.113635.100.6.1.13]';
  return `${own} and anchor apple generic and ${marks.replace(/\]/g, '] /* exists */')} and certificate leaf[subject.OU] = ${/^\d/.test(team) ? `"${team}"` : team}`;
}

function rehearsalRoot() {
  return createHash('sha1')
    .update(readFileSync(join(options.root, '.rehearsal/authority/root.cer')))
    .digest('hex');
}

// ---- documents: Info.plist, the seal, PackageInfo, Distribution ----

/** A property list as plain values; types other than these are in none of ours. */
function plist(node) {
  const kinds = {
    dict: () =>
      Object.fromEntries(
        node.children.flatMap((one, at) => (one.tag === 'key' ? [[one.text, plist(node.children[at + 1])]] : [])),
      ),
    array: () => node.children.map(plist),
    string: () => node.text,
    true: () => true,
    false: () => false,
  };
  return kinds[node.tag]?.() ?? { [node.tag]: node.text };
}

function comparePlist(found) {
  const read = (source) => plist(readXml(source).children[0]);
  const expected = {
    ...read(text('payload/Info.plist')),
    CFBundleExecutable: config.bundle.executable,
    CFBundleIdentifier: config.bundle.identifier,
    CFBundleName: name,
    CFBundleShortVersionString: version,
    CFBundleVersion: bundleVersion,
    LSMinimumSystemVersion: config.macOS.installer,
  };
  const actual = read(found);
  for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const [ours, theirs] = [JSON.stringify(expected[key]), JSON.stringify(actual[key])];
    if (ours !== theirs) find(`Info.plist: ${key} is ${theirs}, the sources make ${ours}`);
  }
}

/** SHA-256 of the rules in CodeResources, which are the same in every bundle that codesign seals in its usual way. */
const SEAL_RULES = 'c06f7eb5b5757e4b586c61e8fe211505ccac95f916aa04a3f0c85ce75e9e9339';

function compareSeal(found, dataOf) {
  const digest = (algorithm, script) =>
    createHash(algorithm)
      .update(dataOf(`Resources/${script}`))
      .digest('base64');
  const file = (script) =>
    `\t\t<key>Resources/${script}</key>\n\t\t<data>\n\t\t${digest('sha1', script)}\n\t\t</data>\n`;
  const file2 = (script) =>
    `\t\t<key>Resources/${script}</key>\n\t\t<dict>\n\t\t\t<key>hash2</key>\n\t\t\t<data>\n\t\t\t${digest('sha256', script)}\n\t\t\t</data>\n\t\t</dict>\n`;
  const list = (key, each) => `\t<key>${key}</key>\n\t<dict>\n${RESOURCES.map(each).join('')}\t</dict>\n`;
  const at = found.indexOf('\t<key>rules</key>');
  const start = found.indexOf('\t<key>files</key>');
  compareText('CodeResources', found.slice(start, at), `${list('files', file)}${list('files2', file2)}`);
  const rules = createHash('sha256')
    .update(found.slice(0, start) + found.slice(at))
    .digest('hex');
  if (rules !== SEAL_RULES) find(`CodeResources has other rules (${rules})`);
}

const node = (tag, attributes, ...children) => ({ tag, attributes, children, text: '' });

function packageInfo({ numberOfFiles, installKBytes }) {
  const isProduct = options.kind === 'product';
  const record = {
    path: `./${bundle}`,
    id: config.bundle.identifier,
    CFBundleShortVersionString: version,
    CFBundleVersion: bundleVersion,
  };
  const scripts = ['preinstall', 'postinstall'].filter((script) => script in SCRIPTS[options.kind]);
  return node(
    'pkg-info',
    {
      'overwrite-permissions': 'true',
      relocatable: 'false',
      identifier,
      'postinstall-action': 'none',
      version,
      'format-version': '2',
      'install-location': config.package.installLocation,
      auth: 'root',
    },
    node('payload', { numberOfFiles, installKBytes }),
    ...(isProduct ? [node('bundle', record)] : []),
    node('bundle-version', {}),
    node('upgrade-bundle', {}, ...(isProduct ? [node('bundle', { id: config.bundle.identifier })] : [])),
    ...['update-bundle', 'atomic-update-bundle', 'strict-identifier', 'relocate'].map((tag) => node(tag, {})),
    node('scripts', {}, ...scripts.map((script) => node(script, { file: `./${script}`, timeout: '600' }))),
  );
}

function distribution(installKBytes) {
  const title = { product: '', guard: ' Guard', uninstall: ' Uninstall', request: ' Request' }[options.kind];
  const named = (words, one) => ({ ...one, text: words });
  const versions = { id: identifier, version, onConclusion: 'none', installKBytes, updateKBytes: '0', auth: 'root' };
  return node(
    'installer-gui-script',
    { minSpecVersion: '2' },
    node('pkg-ref', { id: identifier }, node('bundle-version', {})),
    node('product', { id: identifier, version }),
    named(config.product.title + title, node('title', {})),
    node('options', {
      customize: 'never',
      'require-scripts': 'false',
      rootVolumeOnly: 'true',
      hostArchitectures: 'arm64,x86_64',
    }),
    node('domains', { enable_anywhere: 'false', enable_currentUserHome: 'false', enable_localSystem: 'true' }),
    node('volume-check', {}, node('allowed-os-versions', {}, node('os-version', { min: config.macOS.installer }))),
    node('choices-outline', {}, node('line', { choice: 'default' }, node('line', { choice: identifier }))),
    node('choice', { id: 'default' }),
    node('choice', { id: identifier, visible: 'false' }, node('pkg-ref', { id: identifier })),
    named(`#${identifier}.pkg`, node('pkg-ref', versions)),
  );
}

function compareXml(what, data, expected) {
  const lines = (one, depth = 0) => {
    const attributes = Object.entries(one.attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ` ${key}="${value}"`);
    return [
      `${' '.repeat(depth)}<${one.tag}${attributes.join('')}> ${one.text.trim()}`,
      ...one.children.flatMap((below) => lines(below, depth + 1)),
    ];
  };
  compareText(what, lines(readXml(data.toString('utf8'))).join('\n'), lines(expected).join('\n'));
}

// ---- the Bom, by which a Mac repairs and forgets ----

/** Every entry but the root takes whole blocks of 512 bytes, a folder one. */
function kilobytes(entries) {
  const blocks = entries
    .filter(({ path }) => path !== '.')
    .map(({ data }) => Math.max(1, Math.ceil(data.length / 512)));
  return Math.ceil(blocks.reduce((sum, count) => sum + count, 0) / 2);
}

function compareBom(bom, entries) {
  if (bom.toString('latin1', 0, 8) !== 'BOMStore') throw new Error('Bom is none');
  const index = bom.readUInt32BE(16);
  const block = (number) =>
    bom.subarray(
      bom.readUInt32BE(index + 4 + number * 8),
      bom.readUInt32BE(index + 4 + number * 8) + bom.readUInt32BE(index + 8 + number * 8),
    );
  const variables = new Map();
  const at = bom.readUInt32BE(24);
  for (let left = bom.readUInt32BE(at), next = at + 4; left > 0; left--) {
    const length = bom[next + 4];
    variables.set(bom.toString('latin1', next + 5, next + 5 + length), bom.readUInt32BE(next));
    next += 5 + length;
  }
  let page = block(block(variables.get('Paths')).readUInt32BE(8));
  while (page.readUInt16BE(0) === 0) page = block(page.readUInt32BE(12));
  const names = new Map();
  const found = [];
  for (;;) {
    for (let entry = 0; entry < page.readUInt16BE(2); entry++) {
      const first = block(page.readUInt32BE(12 + entry * 8));
      const file = block(page.readUInt32BE(16 + entry * 8));
      const [id, info] = [first.readUInt32BE(0), block(first.readUInt32BE(4))];
      const above = names.get(file.readUInt32BE(0));
      const path = `${above === undefined ? '' : `${above}/`}${file.toString('utf8', 4, file.indexOf(0, 4))}`;
      names.set(id, path);
      const [type, mode, uid, gid, mtime, size] = [
        info[0],
        info.readUInt16BE(4),
        info.readUInt32BE(6),
        info.readUInt32BE(10),
        info.readUInt32BE(14),
        info.readUInt32BE(18),
      ];
      found.push({ path, type, mode, uid, gid, mtime, size, sum: info.length >= 27 ? info.readUInt32BE(23) : 0 });
    }
    const next = page.readUInt32BE(4);
    if (next === 0) break;
    page = block(next);
  }
  const describe = ({ path, mode, uid, gid, mtime }, type, size, sum) =>
    `${path} ${type} ${mode.toString(8)} ${uid}:${gid} ${mtime} ${size} ${sum}`;
  const isFile = ({ mode }) => (mode & 0o170000) === 0o100000;
  const line = (one) => describe(one, one.type, isFile(one) ? one.size : '-', isFile(one) ? one.sum : '-');
  // 1 is a file, 2 a folder; a payload has nothing else.
  const payload = entries.map((one) =>
    isFile(one) ? describe(one, 1, one.data.length, cksum(one.data)) : describe(one, 2, '-', '-'),
  );
  compareText('Bom', found.map(line).sort().join('\n'), payload.sort().join('\n'));
}

/** POSIX cksum: CRC-32 with the polynomial 04c11db7, most significant bit first, over the bytes and then their count. */
function cksum(data) {
  let crc = 0;
  const feed = (byte) => {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  };
  for (const byte of data) feed(byte);
  for (let { length } = data; length > 0; length = Math.floor(length / 256)) feed(length % 256);
  return ~crc >>> 0;
}

// ---- code: compiled here, and compared but for its signature ----

function compareCode(universal) {
  if (universal.length < 8 || universal.readUInt32BE(0) !== 0xcafebabe)
    return find('the program is not a universal one');
  const slices = { 16777223: 'x86_64', 16777228: 'arm64' };
  const count = universal.readUInt32BE(4);
  const found = [];
  let end = 8 + count * 20;
  for (let at = 8; at < 8 + count * 20; at += 20) {
    const [type, subtype, offset, size, align] = [0, 4, 8, 12, 16].map((field) => universal.readUInt32BE(at + field));
    const architecture = slices[type];
    found.push(architecture ?? `processor ${type}`);
    const isPlain =
      subtype === (architecture === 'x86_64' ? 3 : 0) && offset % 2 ** align === 0 && offset - end < 2 ** align;
    if (!isPlain || universal.subarray(end, offset).some((byte) => byte !== 0))
      find(`the slice of ${architecture} does not lie where it should`);
    end = offset + size;
    if (architecture) compareSlice(architecture, universal.subarray(offset, end));
  }
  if (found.join() !== 'x86_64,arm64') find(`the program's slices are ${found.join(', ')}, not x86_64, arm64`);
  if (end !== universal.length) find('bytes follow the program');
}

/** Returns the name of an LLVM program: plain, or with its version behind it, as Debian and Ubuntu name some. */
function tool(program) {
  const names = [program, ...Array.from({ length: 12 }, (_, index) => `${program}-${14 + index}`)];
  const found = names.find((candidate) =>
    (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, candidate))),
  );
  return found ?? stop(`${program} is not on PATH: install clang and lld`);
}

/** Compiles a slice as build.json says, with stub headers and libraries. The linker's name for it is the bundle's own. */
function compiled(architecture) {
  const build = JSON.parse(text('payload/plugin/build.json'));
  const source = resolve(options.root, 'payload/plugin');
  const work = mkdtempSync(join(tmpdir(), 'look-'));
  const run = (program, ...argv) =>
    execFileSync(tool(program), argv, { cwd: join(work, architecture), stdio: ['ignore', 'ignore', 'inherit'] });
  const oldest = config.macOS[architecture];
  const system = ['-arch', architecture, '-platform_version', 'macos', oldest, config.macOS.sdk];
  const symbols = build.exportedSymbols.flatMap((symbol) => ['-exported_symbol', symbol]);
  try {
    mkdirSync(join(work, architecture));
    const files = build.sources.map((file) => join(source, file));
    const flags = [
      `--target=${architecture}-apple-macos${oldest}`,
      '-nostdinc',
      '-isystem',
      join(source, build.stubHeaders),
      ...build.compilerFlags,
    ];
    run('clang', ...flags, `-ffile-prefix-map=${source}=.`, '-c', ...files);
    const objects = build.sources.map((file) => file.replace(/\.c$/, '.o'));
    const libraries = build.stubLibraries.map((file) => join(source, file));
    run(
      'ld64.lld',
      // LC_UUID follows the number of the linker's threads.
      '--threads=1',
      ...system,
      '-bundle',
      ...symbols,
      ...build.linkerFlags,
      '-no_adhoc_codesign',
      ...objects,
      '-o',
      config.bundle.executable,
      ...libraries,
    );
    return readFileSync(join(work, architecture, config.bundle.executable));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const SIGNATURE_COMMAND = 0x1d;

/** Holds a slice to what the sources make, with room for a signature as codesign makes it. */
function compareSlice(architecture, slice) {
  const made = compiled(architecture);
  const start = Math.ceil(made.length / 16) * 16;
  const expected = Buffer.alloc(start);
  made.copy(expected);
  const [commands, size] = [made.readUInt32LE(16), made.readUInt32LE(20)];
  expected.writeUInt32LE(commands + 1, 16);
  expected.writeUInt32LE(size + 16, 20);
  const command = [SIGNATURE_COMMAND, 16, start, slice.length - start];
  for (const [at, value] of command.entries()) expected.writeUInt32LE(value, 32 + size + at * 4);
  for (let at = 32; at < 32 + size; at += expected.readUInt32LE(at + 4)) {
    if (!expected.toString('latin1', at + 8, at + 24).startsWith('__LINKEDIT\0')) continue;
    const room = BigInt(slice.length) - expected.readBigUInt64LE(at + 40);
    expected.writeBigUInt64LE(((room + 0x3fffn) / 0x4000n) * 0x4000n, at + 32);
    expected.writeBigUInt64LE(room, at + 48);
  }
  const at = expected.findIndex((byte, place) => byte !== slice[place]);
  if (at !== -1)
    find(
      `code of ${architecture}: byte ${at} of ${start} is ${slice[at]?.toString(16)}, the sources make ${expected[at].toString(16)}`,
    );
  compareSignatureRoom(architecture, slice.subarray(start));
}

/** What lies in the place of the signature must be one, with nothing but CodeDirectory, requirements and CMS: no entitlements. */
function compareSignatureRoom(architecture, room) {
  if (room.length < 12 || room.readUInt32BE(0) !== 0xfade0cc0)
    return find(`code of ${architecture} is followed by something that is not a signature`);
  const [length, count] = [room.readUInt32BE(4), room.readUInt32BE(8)];
  const slots = Array.from({ length: Math.min(count, 16) }, (_, index) => room.readUInt32BE(12 + index * 8));
  if (slots.join() !== '0,2,65536')
    find(`the signature of ${architecture} has the parts ${slots.join(', ')}, not 0, 2, 65536`);
  if (room.subarray(length).some((byte) => byte !== 0)) find(`bytes follow the signature of ${architecture}`);
}

// ---- the look ----

try {
  look(readFileSync(positionals[0]));
} catch (error) {
  find(`cannot be read to its end: ${error.message}`);
}
for (const words of findings) process.stdout.write(`DIFFERS: ${words}\n`);
process.stdout.write(
  findings.length === 0
    ? `the same: ${positionals[0]} holds what the sources make (signatures aside)\n`
    : `${findings.length} differences: this package must not reach a Mac\n`,
);
// Not process.exit: what a pipe has not taken yet would be lost.
process.exitCode = findings.length === 0 ? 0 : 6;
