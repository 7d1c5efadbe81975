/** A value of JSON that may be large: what is in it opens by a click. */
export function Details({ value }: { value: unknown }) {
  return (
    <dl className="json">
      {Object.entries(value as object).map(([name, of]) => <Entry key={name} name={name} value={unfolded(of)} />)}
    </dl>
  )
}

function Entry({ name, value }: { name: string; value: unknown }) {
  if (typeof value !== 'object' || value === null) return <div><dt>{name}</dt><dd>{String(value)}</dd></div>
  const count = Object.keys(value).length
  const short = JSON.stringify(value)
  if (short.length < 60) return <div><dt>{name}</dt><dd><code>{short}</code></dd></div>
  return (
    <div>
      <dt className="unseen">{name}</dt>
      <dd className="whole">
        <details><summary>{name} <span className="quiet">{count} {Array.isArray(value) ? 'elements' : 'fields'}</span></summary><Details value={value} /></details>
      </dd>
    </div>
  )
}

/** Text that is JSON of its own is shown as what it says. */
function unfolded(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
