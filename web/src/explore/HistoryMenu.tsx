import { useState } from 'react'
import type { Source } from '../api/types.ts'
import { formatAgo } from '../frame/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Popover } from '../ui/Menu.tsx'
import { keep, readHistory, type Entry } from './history.ts'
import { modelOf, type Pane, type Query } from './state.ts'

/** What was run before, to be run again. */
export function HistoryMenu({ sources, onChoose }: { sources: Source[]; onChoose: (pane: Pane) => void }) {
  return (
    <Popover className="button icon-only" name="History" align="end" label={<Icon name="history" />}>
      {(close) => <History sources={sources} onChoose={(pane) => (close(), onChoose(pane))} />}
    </Popover>
  )
}

function History({ sources, onChoose }: { sources: Source[]; onChoose: (pane: Pane) => void }) {
  const [entries, setEntries] = useState(readHistory)
  const [text, setText] = useState('')
  const change = (to: Entry[]) => setEntries(keep(to))
  if (!entries.length) return <p className="quiet">What you run will be here.</p>
  const wanted = text.trim().toLowerCase()
  const shown = entries.filter(({ pane }) => `${JSON.stringify(pane.queries)} ${nameOf(sources, pane)}`.toLowerCase().includes(wanted)).sort((a, b) => Number(b.starred) - Number(a.starred))
  return (
    <div className="history">
      <input type="search" autoFocus aria-label="Find in the history" placeholder="Find in the history" value={text} onChange={(event) => setText(event.target.value)} />
      <ul>
        {shown.map((entry) => (
          <li key={entry.at}>
            <button type="button" className="history-entry" onClick={() => onChoose(entry.pane)}>
              <code>{entry.pane.queries.map(summary).join('\n')}</code>
              <span className="quiet">{nameOf(sources, entry.pane)} · {formatAgo(entry.at)}</span>
            </button>
            <button type="button" className="icon-button" aria-pressed={entry.starred} aria-label="Star" title={entry.starred ? 'Take the star away' : 'Star: it stays, and is first'}
              onClick={() => change(entries.map((e) => (e === entry ? { ...e, starred: !e.starred } : e)))}><Icon name="star" /></button>
            <button type="button" className="icon-button" aria-label="Forget" title="Forget" onClick={() => change(entries.filter((e) => e !== entry))}><Icon name="trash" /></button>
          </li>
        ))}
      </ul>
      {!shown.length && <p className="quiet">Nothing has this in it.</p>}
      {entries.some((e) => !e.starred) && <button type="button" className="button quiet-button" onClick={() => change(entries.filter((e) => e.starred))}>Forget all without a star</button>}
    </div>
  )
}

/** What a query says: its longest text, for most. */
function summary(query: Query): string {
  const model = modelOf(query)
  const texts = Object.values(model).filter((v): v is string => typeof v === 'string').sort((a, b) => b.length - a.length)
  return (texts[0] || JSON.stringify(model)).slice(0, 200)
}

const nameOf = (sources: Source[], pane: Pane) =>
  [...new Set(pane.queries.map((q) => sources.find((s) => s.uid === q.datasource.uid)?.name ?? q.datasource.uid))].join(', ')
