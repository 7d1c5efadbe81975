import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { pluginEvents, pluginHistory } from '../api/queries.ts'
import type { LifeEvent } from '../api/types.ts'
import { Graph } from '../explore/Graph.tsx'
import type { Mark } from '../explore/marks.ts'
import type { Frame } from '../frame/frame.ts'
import { Failed } from '../ui/states.tsx'

const spans = { '1h': { title: 'Hour', length: 3_600_000 }, '24h': { title: 'Day', length: 86_400_000 } }

type Back = keyof typeof spans

/** What a plugin has used and been asked, and what became of it meanwhile. */
export default function Usage({ id }: { id: string }) {
  const [back, setBack] = useState<Back>('1h')
  const { data, error } = useQuery({ ...pluginHistory(id, back), placeholderData: keepPreviousData })
  const events = useQuery(pluginEvents(id)).data
  const frames = useMemo(() => data && [known(data.frame)], [data])
  const marks = useMemo(() => events?.flatMap(markOf), [events])
  return (
    <section className="card" aria-labelledby="usage">
      <header>
        <h2 id="usage">Usage</h2>
        <div className="buttons" role="group" aria-label="How far back">
          {(Object.keys(spans) as Back[]).map((b) => <button key={b} type="button" className="button quiet-button" aria-pressed={back === b} onClick={() => setBack(b)}>{spans[b].title}</button>)}
        </div>
      </header>
      {error && <Failed error={error} />}
      <div className="usage">
        {frames && (frames[0].length > 0
          ? <Graph frames={frames} range={rangeOf(frames[0], data!.at, spans[back].length)} marks={marks} />
          : <p className="hint">{back === '1h' ? 'The first point comes within ten seconds.' : 'The first point of the day comes after five minutes. The last hour is kept more closely.'}</p>)}
      </div>
    </section>
  )
}

/** As far back as was asked, or as there is something, but not so little that it says nothing. */
function rangeOf(frame: Frame, to: number, length: number): [number, number] {
  const first = frame.fields[0].values[0] as number
  return [Math.max(to - length, Math.min(first - length / 360, to - length / 12)), to]
}

/** A frame without the columns that nobody knows anything of. */
const known = (frame: Frame): Frame => ({ ...frame, fields: frame.fields.filter((f) => f.values.some((value) => value !== null)) })

/** What an event means to somebody who looks at a graph. */
function markOf({ time, state, exit, reason }: LifeEvent): Mark[] {
  const mark = (title: string, color: string) => [{ at: Date.parse(time), title, color }]
  if (state === 'quarantined') return mark('quarantined', '--bad')
  if (state === 'degraded') return mark('no answer', '--warn')
  if (exit) return mark(reason.startsWith('it hung') ? 'hung' : 'crashed', '--bad')
  if (state === 'stopped') return mark('stopped', '--quiet')
  const switched = /^switched from version \S+ to (\S+)/.exec(reason)
  if (switched) return mark(switched[1], '--accent')
  return state === 'starting' && reason ? mark('restarted', '--quiet') : []
}
