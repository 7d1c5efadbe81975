// What a process has said on its standard error.

/** A line as its plugin's log shows it: of hclog's JSON the level, the message and the pairs. */
export function spoken(line: string): string {
  let said: Record<string, unknown>
  try {
    said = JSON.parse(line)
  } catch {
    return line
  }
  if (typeof said?.['@message'] !== 'string') return line
  const pairs = Object.entries(said).filter(([key]) => !key.startsWith('@')).sort(([a], [b]) => (a < b ? -1 : 1))
  return [said['@level'], said['@message'], ...pairs.map(([key, value]) => `${key}=${quoted(value)}`)].filter(Boolean).join(' ')
}

function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
