// Colours by the names that plugins give them.

const hues: Record<string, string> = { green: '--line-3', yellow: '--line-6', red: '--line-8', blue: '--line-1', orange: '--line-2', purple: '--line-5' }

const shades: Record<string, string> = { 'super-light': 'white 45%', light: 'white 22%', semi: 'black 14%', dark: 'black 30%' }

/** A colour that CSS knows, of one of Grafana's names or of CSS; undefined if it is none. */
export function colorOf(name: string | undefined): string | undefined {
  if (!name || name === 'transparent') return undefined
  const [, shade, hue] = /^(?:(super-light|light|semi|dark)-)?(?:dark-)?([a-z]+)$/.exec(name) ?? []
  if (hue && Object.hasOwn(hues, hue)) {
    const color = `var(${hues[hue]})`
    return shade ? `color-mix(in oklab, ${color}, ${shades[shade]})` : color
  }
  if (name === 'text') return 'var(--text)'
  return CSS.supports('color', name) ? name : undefined
}

/** A colour for a canvas, which knows no variables. */
export function solid(color: string): string {
  const probe = document.createElement('i')
  probe.style.color = color
  document.body.append(probe)
  const computed = getComputedStyle(probe).color
  probe.remove()
  return computed
}
