import { useState } from 'react'
import type { Source } from '../api/types.ts'
import { formatAgo } from '../frame/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Popover } from '../ui/Menu.tsx'
import { forgetHistory, readHistory } from './history.ts'
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
  if (!entries.length) return <p className="quiet">What you run will be here.</p>
  return (
    <div className="history">
      <ul>
        {entries.map(({ at, pane }) => (
          <li key={at}>
            <button type="button" onClick={() => onChoose(pane)}>
              <code>{pane.queries.map(summary).join('\n')}</code>
              <span className="quiet">{nameOf(sources, pane)} · {formatAgo(at)}</span>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" className="button quiet-button" onClick={() => (forgetHistory(), setEntries([]))}>Forget all</button>
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
