import { useMemo, useState } from 'react'
import { formatSeconds, formatTime } from '../frame/format.ts'
import type { Frame } from '../frame/frame.ts'
import { isTrace } from '../frame/kind.ts'

interface Span {
  id: string
  parent: string
  name: string
  service: string
  /** Unix milliseconds. */
  start: number
  /** Milliseconds. */
  took: number
  failed: boolean
  tags: { key: string; value: unknown }[]
  depth: number
}

// More spans than this are not drawn.
const most = 2_000

/** A trace as a waterfall: its spans below their parents, where they were in time. */
export default function Trace({ frames }: { frames: Frame[] }) {
  const spans = useMemo(() => inTree(frames.filter(isTrace).flatMap(spansOf)), [frames])
  const [open, setOpen] = useState<string>()
  const services = [...new Set(spans.map((s) => s.service))]
  const from = Math.min(...spans.map((s) => s.start))
  const whole = Math.max(...spans.map((s) => s.start + s.took)) - from || 1
  return (
    <div className="trace">
      <p className="quiet">{formatTime(from)} · {formatSeconds(whole / 1000)} · {spans.length} spans · {services.length} services{spans.length > most && ` · the first ${most} are drawn`}</p>
      <ol>
        {spans.slice(0, most).map((span) => (
          <li key={span.id}>
            <button type="button" aria-expanded={open === span.id} onClick={() => setOpen(open === span.id ? undefined : span.id)}>
              <span className="span-name" style={{ paddingLeft: `${span.depth * 0.9}rem` }}>{span.failed && '⚠ '}<b>{span.service}</b> {span.name}</span>
              <span className="span-track">
                <span className={`span-bar line-${(services.indexOf(span.service) % 8) + 1}`} style={{ left: `${((span.start - from) / whole) * 100}%`, width: `${Math.max(0.3, (span.took / whole) * 100)}%` }} />
              </span>
              <span className="span-took">{formatSeconds(span.took / 1000)}</span>
            </button>
            {open === span.id && <dl>{detailsOf(span, from).map((tag, i) => <div key={i}><dt>{tag.key}</dt><dd>{String(tag.value)}</dd></div>)}</dl>}
          </li>
        ))}
      </ol>
    </div>
  )
}

const detailsOf = (span: Span, from: number) => [{ key: 'span', value: span.id }, { key: 'begins after', value: formatSeconds((span.start - from) / 1000) }, ...span.tags]

function spansOf(frame: Frame): Span[] {
  const column = (name: string) => frame.fields.find((f) => f.name === name)?.values ?? []
  const [ids, parents, names, services, starts, lengths, tags, status] =
    ['spanID', 'parentSpanID', 'operationName', 'serviceName', 'startTime', 'duration', 'tags', 'statusCode'].map(column)
  return Array.from({ length: frame.length }, (_, i): Span => ({
    id: String(ids[i]), parent: String(parents[i] ?? ''), name: String(names[i] ?? ''), service: String(services[i] ?? ''),
    start: Number(starts[i]), took: Number(lengths[i] ?? 0), failed: Number(status[i]) === 2, depth: 0,
    tags: Array.isArray(tags[i]) ? (tags[i] as Span['tags']) : [],
  }))
}

/** Spans below their parents, by when they began. Those of unknown parents are roots. */
function inTree(spans: Span[]): Span[] {
  const known = new Set(spans.map((s) => s.id))
  const below = Map.groupBy(spans.toSorted((a, b) => a.start - b.start), (s) => (known.has(s.parent) && s.parent !== s.id ? s.parent : ''))
  const tree: Span[] = []
  const add = (id: string, depth: number) => {
    const children = below.get(id) ?? []
    below.delete(id) // a cycle ends here
    for (const span of children) {
      tree.push({ ...span, depth })
      add(span.id, depth + 1)
    }
  }
  add('', 0)
  return tree
}
