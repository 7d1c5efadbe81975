// Runs the tests beside this file, whose TypeScript Node does not read itself:
// all, or those of files and with names that have the arguments in them.
import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'

const here = import.meta.dirname
const out = path.join(here, '../node_modules/.e2e')
rmSync(out, { recursive: true, force: true })
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts') && name.includes(process.argv[2] ?? ''))
await build({ entryPoints: tests.map((name) => path.join(here, name)), outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', packages: 'external', sourcemap: 'inline' })
const files = tests.map((name) => path.join(out, name.replace(/\.ts$/, '.mjs')))
const named = process.argv[3] ? [`--test-name-pattern=${process.argv[3]}`] : []
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=2', '--test-reporter=spec', ...named, ...files], { stdio: 'inherit', cwd: path.join(here, '..') })
process.exit(status ?? 1)
