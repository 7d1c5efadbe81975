import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { formatSeconds, formatTime } from '../frame/format.ts'
import type { Frame } from '../frame/frame.ts'
import { isTrace } from '../frame/kind.ts'
import { Icon } from '../ui/icons.tsx'
import { inTree, spansOf, type KeyValue, type Span } from './spans.ts'

/** A trace as a waterfall: its spans below their parents, where they were in time. */
export default function Trace({ frames }: { frames: Frame[] }) {
  const spans = useMemo(() => inTree(frames.filter(isTrace).flatMap(spansOf)), [frames])
  const services = useMemo(() => [...new Set(spans.map((s) => s.service))], [spans])
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const [text, setText] = useState('')
  const shown = useMemo(() => visible(spans, folded, text.trim().toLowerCase()), [spans, folded, text])
  const [active, setActive] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 26, overscan: 15, getItemKey: (i) => shown[i].key })
  const [from, whole] = useMemo(() => extent(spans), [spans])
  const failed = useMemo(() => spans.filter((s) => s.failed).length, [spans])
  if (!spans.length) return <p className="hint">There are no spans in this answer.</p>

  const focus = (i: number) => {
    const to = Math.min(shown.length - 1, Math.max(0, i))
    setActive(to)
    virtual.scrollToIndex(to)
    // It is there once it was scrolled to and drawn.
    requestAnimationFrame(() => requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${to}"] .span-open`)?.focus()))
  }
  const fold = (span: Span, to: boolean) => setFolded((was) => toggled(was, span.key, to))
  const press = (event: React.KeyboardEvent) => {
    const span = shown[active]
    if (!span || !(event.target as HTMLElement).classList.contains('span-open')) return
    const moves: Record<string, () => void> = {
      ArrowDown: () => focus(active + 1), ArrowUp: () => focus(active - 1), PageDown: () => focus(active + 15), PageUp: () => focus(active - 15),
      Home: () => focus(0), End: () => focus(shown.length - 1),
      ArrowLeft: () => (span.children && !folded.has(span.key) ? fold(span, true) : focus(shown.findLastIndex((s, i) => i < active && s.depth < span.depth))),
      ArrowRight: () => (folded.has(span.key) ? fold(span, false) : focus(active + 1)),
    }
    if (!moves[event.key] || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    moves[event.key]()
  }
  return (
    <div className="trace">
      <div className="result-tools">
        <p className="quiet">
          {formatTime(from)} · {formatSeconds(whole / 1000)} · {count(spans.length, 'span')} · {count(services.length, 'service')}
          {failed > 0 && <> · <b className="fault">{failed} failed</b></>}
        </p>
        <input type="search" aria-label="Find spans" placeholder="Find spans" value={text} onChange={(event) => setText(event.target.value)} />
        <button type="button" className="button quiet-button" onClick={() => setFolded(folded.size ? new Set() : new Set(spans.filter((s) => s.children).map((s) => s.key)))}>{folded.size ? 'Unfold all' : 'Fold all'}</button>
      </div>
      <div className="trace-scale quiet" aria-hidden="true"><span /><span>{[0, 0.25, 0.5, 0.75, 1].map((part) => <i key={part}>{formatSeconds((whole * part) / 1000)}</i>)}</span><span /></div>
      <div className="spans" ref={box} onKeyDown={press}>
        <ol aria-label="Spans" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const span = shown[index]
            const set = open.has(span.key)
            return (
              <li key={key} ref={virtual.measureElement} data-index={index} style={{ transform: `translateY(${start}px)` }}>
                <div className="span-row">
                  <span className="span-name" style={{ paddingLeft: `${Math.min(span.depth, 24) * 0.8}rem` }}>
                    {span.children > 0 && !text
                      ? <button type="button" className="span-fold" tabIndex={-1} aria-expanded={!folded.has(span.key)} aria-label={`Spans below ${span.name}`} onClick={() => fold(span, !folded.has(span.key))}><Icon name={folded.has(span.key) ? 'right' : 'down'} /></button>
                      : <i className="span-fold" />}
                    <button type="button" className="span-open" tabIndex={index === Math.min(active, shown.length - 1) ? 0 : -1} aria-expanded={set} onFocus={() => setActive(index)} onClick={() => setOpen((was) => toggled(was, span.key, !set))}>
                      {span.failed && <span className="fault"><Icon name="warn" /><span className="unseen">failed </span></span>}
                      <b>{span.service}</b> {span.name}{folded.has(span.key) && <span className="quiet"> +{span.below}</span>}
                    </button>
                  </span>
                  <span className="span-track" aria-hidden="true" onClick={() => setOpen((was) => toggled(was, span.key, !set))}>
                    <span className={`span-bar line-${(services.indexOf(span.service) % 8) + 1} ${span.failed ? 'span-failed' : ''}`} style={{ left: `${((span.start - from) / whole) * 100}%`, width: `${Math.max(0.25, (span.took / whole) * 100)}%` }} />
                    {span.logs.map((log, i) => <i key={i} className="span-log" style={{ left: `${((log.at - from) / whole) * 100}%` }} />)}
                  </span>
                  <span className="span-took">{formatSeconds(span.took / 1000)}</span>
                </div>
                {set && <Details span={span} from={from} />}
              </li>
            )
          })}
        </ol>
      </div>
    </div>
  )
}

const count = (n: number, what: string) => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`

function toggled(set: ReadonlySet<string>, key: string, to: boolean): ReadonlySet<string> {
  const changed = new Set(set)
  if (to) changed.add(key)
  else changed.delete(key)
  return changed
}

/** The spans to draw: those whose parents are unfolded, or those that have a text. */
function visible(spans: Span[], folded: ReadonlySet<string>, text: string): Span[] {
  if (text) return spans.filter((s) => `${s.service} ${s.name} ${s.id} ${s.tags.map((t) => `${t.key}=${String(t.value)}`).join(' ')}`.toLowerCase().includes(text))
  const shown: Span[] = []
  for (let i = 0; i < spans.length; i++) {
    shown.push(spans[i])
    if (folded.has(spans[i].key)) i += spans[i].below
  }
  return shown
}

function extent(spans: Span[]): [from: number, whole: number] {
  let [from, to] = [Infinity, -Infinity]
  for (const { start, took } of spans) {
    from = Math.min(from, start)
    to = Math.max(to, start + took)
  }
  return [from, to - from || 1]
}

/** All that is known of a span. */
function Details({ span, from }: { span: Span; from: number }) {
  const about: KeyValue[] = [
    { key: 'begins after', value: formatSeconds((span.start - from) / 1000) }, { key: 'span', value: span.id },
    ...(span.parent ? [{ key: 'parent', value: span.parent }] : []), ...(span.trace ? [{ key: 'trace', value: span.trace }] : []), ...span.about,
  ]
  return (
    <div className="span-details">
      <List title="Span" of={about} />
      <List title="Tags" of={span.tags} />
      <List title={span.service || 'Service'} of={span.serviceTags} />
      {span.logs.map((log, i) => <List key={i} title={`${log.name || 'Log'} at ${formatSeconds((log.at - from) / 1000)}`} of={log.fields} />)}
    </div>
  )
}

function List({ title, of }: { title: string; of: KeyValue[] }) {
  if (!of.length) return null
  return (
    <section>
      <p>{title}</p>
      <dl>{of.map(({ key, value }, i) => <div key={i}><dt>{key}</dt><dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd></div>)}</dl>
    </section>
  )
}
