// Packages one folder and ends: what npm run bench measures of this project. one.mjs TREE TARGET
import { buildProduct } from '../../../src/package/product.ts';
import { readTree } from '../../support/read-tree.ts';

const [tree, target] = process.argv.slice(2) as [string, string];
const creationTime = 1_700_000_000;
const common = { identifier: 'com.example.tree', version: '1.0' };
const payload = readTree(tree, { uid: 0, gid: 0, mtimeSeconds: creationTime });
const component = { ...common, installLocation: '/Library', payload, scripts: [], bundles: [] };
const plan = { ...common, title: 'Tree', minimumSystemVersion: '10.14.4', creationTime, component };
await buildProduct(plan, target, new AbortController().signal);
