// Builds the console into ../server/console/dist, from where the Go package
// embeds it: files named after what is in them, each compressed beside itself,
// and the document that loads them. Fails if a part is over its budget.
import { build } from 'esbuild'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const out = path.resolve(import.meta.dirname, '../server/console/dist')
const assets = path.join(out, 'assets')

// What a page may weigh in KiB of brotli: what all need, and what Explore needs
// beyond that.
const budgets = { shell: 120, explore: 150 }

await rm(assets, { recursive: true, force: true })
const result = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { main: 'src/main.tsx', icon: 'src/icon.svg' },
  outdir: assets,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  loader: { '.svg': 'copy' },
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  minify: true,
  metafile: true,
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
})

const outputs = Object.entries(result.metafile.outputs).map(([name, made]) => ({ name: path.basename(name), ...made }))
const script = outputs.find((o) => o.entryPoint === 'src/main.tsx')
const explore = outputs.find((o) => o.entryPoint === 'src/explore/Explore.tsx')
const icon = outputs.find((o) => o.name.startsWith('icon-'))
const shell = withImports(script)

// The other pages are fetched when there is nothing else to do: a server that
// is away when they are gone to would have taken the console with it.
const later = outputs.filter((o) => o.name.endsWith('.js') && !shell.has(o.name)).map((o) => o.name)

await mkdir(assets, { recursive: true })
await writeFile(path.join(out, 'index.html'), `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="nonce" content="NONCE">
<title>Plugboard</title>
<link rel="icon" href="/assets/${icon.name}" type="image/svg+xml">
<link rel="stylesheet" href="/assets/${path.basename(script.cssBundle)}">
${[...shell].filter((name) => name !== script.name).map((name) => `<link rel="modulepreload" href="/assets/${name}">\n`).join('')}<script type="module" src="/assets/${script.name}"></script>
${later.map((name) => `<link rel="prefetch" as="script" crossorigin href="/assets/${name}">`).join('\n')}
</head>
<body><div id="root"></div></body>
</html>
`)

const bundled = await packages()
await writeFile(path.join(out, 'licenses.txt'), await licenses())
// For the bill of materials of a release.
await writeFile(path.join(out, 'packages.json'), JSON.stringify(bundled.map(({ name, version, license }) => ({ name, version, license })), null, 2))

const sizes = new Map()
for (const name of await readdir(assets)) {
  const file = path.join(assets, name)
  const text = await readFile(file)
  const br = await promisify(brotliCompress)(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  sizes.set(name, br.length)
  await writeFile(file + '.br', br)
  await writeFile(file + '.gz', await promisify(gzip)(text, { level: 9 }))
}
weigh('shell', [...shell, path.basename(script.cssBundle)])
weigh('explore', [...withImports(explore)].filter((name) => !shell.has(name)))

// packages are those of others that something bundled is from, by name. (What
// is only read, and shaken off, is not in.)
async function packages() {
  const inputs = outputs.flatMap((o) => Object.entries(o.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([name]) => name))
  const folders = new Set(inputs.flatMap((name) => name.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []))
  return Promise.all([...folders].sort().map(async (folder) => {
    const dir = path.join(import.meta.dirname, folder)
    const { name, version, license } = JSON.parse(await readFile(path.join(dir, 'package.json'), 'utf8'))
    return { name, version, license, dir }
  }))
}

// licenses are the texts of all that is bundled, which ask to be shipped along.
async function licenses() {
  const texts = bundled.map(async ({ name, version, license, dir }) => {
    const file = (await readdir(dir)).find((entry) => /^licen[cs]e/i.test(entry))
    return `${name} ${version} (${license})\n\n${file ? await readFile(path.join(dir, file), 'utf8') : ''}`
  })
  return (await Promise.all(texts)).join(`\n${'-'.repeat(79)}\n\n`)
}

// withImports is a file and what it imports at once, however deep.
function withImports(output, seen = new Set()) {
  seen.add(output.name)
  for (const { path: imported, kind } of output.imports) {
    const next = outputs.find((o) => o.name === path.basename(imported))
    if (kind === 'import-statement' && next && !seen.has(next.name)) withImports(next, seen)
  }
  return seen
}

function weigh(what, names) {
  const kib = names.reduce((sum, name) => sum + sizes.get(name), 0) / 1024
  console.log(`${what}: ${kib.toFixed(1)} KiB of ${budgets[what]} in brotli`)
  if (kib > budgets[what]) process.exitCode = 1
}
