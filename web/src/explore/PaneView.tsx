import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { pluginSchema } from '../api/queries.ts'
import type { PluginSchema, Source } from '../api/types.ts'
import { absolute, zoomedOut, type Range } from '../time/range.ts'
import { TimePicker } from '../time/TimePicker.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import { useAnswer } from './ask.ts'
import { remember } from './history.ts'
import { HistoryMenu } from './HistoryMenu.tsx'
import { QueryRow } from './QueryRow.tsx'
import { Results } from './Results.tsx'
import { RunStatus } from './RunStatus.tsx'
import { ShareMenu } from './ShareMenu.tsx'
import { nextRefId, type Pane, type Query } from './state.ts'

interface PaneProps {
  pane: Pane
  name: string
  sources: Source[]
  /** Shows another pane in place of this one, with a step back unless it replaces. */
  onChange: (pane: Pane, replace?: boolean) => void
  onSplit: () => void
  onClose?: () => void
}

// What graphs are asked for: as many points as a wide one has pixels.
const points = 1_000

/** Queries and their answer. What is typed is a draft until it is run. */
export function PaneView({ pane, name, sources, onChange, onSplit, onClose }: PaneProps) {
  const [draft, setDraft] = useState(pane)
  useEffect(() => setDraft(pane), [pane])
  const { run, start, want, cancel } = useAnswer(pane, points)
  const cache = useQueryClient()

  const latest = useRef(draft)
  latest.current = draft
  const commit = (changed: Pane) => {
    setDraft(changed)
    remember(changed)
    if (JSON.stringify(changed) === JSON.stringify(pane)) return void start()
    want()
    onChange(changed)
  }
  const ask = () => commit(latest.current)
  const commitQueries = (change: (queries: Query[]) => Query[]) => commit({ ...latest.current, queries: change(latest.current.queries) })
  const setRange = (range: Range) => commit({ ...latest.current, range })
  const setQuery = (i: number, query: Query) => setDraft({ ...draft, queries: draft.queries.with(i, query) })
  const addQuery = () => {
    const like = draft.queries.at(-1)?.datasource.uid ?? sources[0].uid
    setDraft({ ...draft, queries: [...draft.queries, { refId: nextRefId(draft.queries), datasource: { uid: like } }] })
  }
  const results = useMemo(() => new Map(run.answer?.results.map((r) => [r.refId, r])), [run.answer])
  const textField = (query: Query) => {
    const type = sources.find((s) => s.uid === query.datasource.uid)?.type
    return type && (cache.getQueryData(pluginSchema(type).queryKey) as PluginSchema | undefined)?.queryText
  }

  return (
    <section className="pane" aria-label={name} onKeyDown={(event) => (event.ctrlKey || event.metaKey) && event.key === 'Enter' && ask()}>
      <div className="toolbar">
        <TimePicker range={draft.range} onChange={setRange} />
        <button type="button" className="button icon-only" aria-label="Zoom out" title="Zoom out" onClick={() => setRange(zoomedOut(draft.range))}><Icon name="zoomOut" /></button>
        {run.phase === 'running'
          ? <button type="button" className="button primary" onClick={cancel}><Icon name="stop" />Cancel</button>
          : <button type="button" className="button primary" title="Run (Ctrl+Enter)" onClick={ask}><Icon name="play" />Run</button>}
        <RunStatus run={run} />
        <div className="toolbar-end">
          <HistoryMenu sources={sources} onChoose={(chosen) => commit(chosen)} />
          <ShareMenu pane={draft} points={points} answer={run.answer} textField={textField} />
          <button type="button" className="button icon-only" aria-label="Split" title="Split" onClick={onSplit}><Icon name="split" /></button>
          {onClose && <button type="button" className="button icon-only" aria-label="Close the pane" title="Close the pane" onClick={onClose}><Icon name="close" /></button>}
        </div>
      </div>
      <div className="queries">
        {draft.queries.map((query, i) => (
          <QueryRow key={query.refId} query={query} sources={sources} result={results.get(query.refId)} onChange={(q) => setQuery(i, q)} onRun={ask}
            onCommit={(q) => commitQueries((queries) => queries.with(i, q))}
            onDuplicate={() => setDraft({ ...draft, queries: draft.queries.toSpliced(i + 1, 0, { ...query, refId: nextRefId(draft.queries) }) })}
            onUp={i > 0 ? () => commitQueries((queries) => swapped(queries, i - 1)) : undefined}
            onDown={i < draft.queries.length - 1 ? () => commitQueries((queries) => swapped(queries, i)) : undefined}
            onRemove={draft.queries.length > 1 ? () => commitQueries((queries) => queries.toSpliced(i, 1)) : undefined} />
        ))}
        <button type="button" className="button quiet-button" onClick={addQuery}><Icon name="plus" />Add query</button>
      </div>
      {run.phase === 'failed' && <Failed error={run.error} />}
      <Results answer={run.answer} phase={run.phase} view={draft.view}
        onView={(view) => (setDraft({ ...draft, view }), onChange({ ...pane, view }, true))} onZoom={(from, to) => setRange(absolute(from, to))} />
    </section>
  )
}

const swapped = (queries: Query[], i: number) => queries.with(i, queries[i + 1]).with(i + 1, queries[i])
