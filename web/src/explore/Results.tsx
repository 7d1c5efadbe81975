import { lazy, Suspense, useMemo, useState } from 'react'
import type { Frame } from '../frame/frame.ts'
import { isGraph } from '../frame/series.ts'
import { useZone } from '../frame/time.ts'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import type { Answer, Run } from './ask.ts'
import { Graph } from './Graph.tsx'
import { isLogs, isTrace } from '../frame/kind.ts'
import type { View } from './state.ts'
import { useStream } from './stream.ts'

const Logs = lazy(() => import('./Logs.tsx'))
const RawFrames = lazy(() => import('./RawFrames.tsx'))
const Table = lazy(async () => ({ default: (await import('./Table.tsx')).Table }))
const Trace = lazy(() => import('./Trace.tsx'))

interface ResultsProps {
  answer?: Answer
  phase: Run['phase']
  view?: View
  onView: (view: View) => void
  onZoom: (from: number, to: number) => void
}

const titles: Record<View, string> = { graph: 'Graph', table: 'Table', logs: 'Logs', trace: 'Trace', raw: 'Frames' }

/** The answer of a pane, in one of the forms that it can be seen in. */
export function Results({ answer, phase, view, onView, onZoom }: ResultsProps) {
  const answered = useMemo(() => answer?.results.flatMap((r) => r.frames) ?? [], [answer])
  const channel = answered.find((frame) => frame.meta.channel)?.meta.channel
  const [paused, setPaused] = useState(false)
  const stream = useStream(channel, paused)
  const frames = useMemo(() => (stream.frame && channel ? answered.map((frame) => (frame.meta.channel === channel ? { ...frame, ...stream.frame, meta: frame.meta, refId: frame.refId } : frame)) : answered),
    [answered, channel, stream.frame])
  const zone = useZone()
  const running = phase === 'running'
  if (!answer && phase === 'idle') return <p className="hint">Write a query and run it with <kbd>Ctrl</kbd> <kbd>Enter</kbd>.</p>
  if (!answer) return <div className="result" />
  const shown = view ?? viewOf(frames)
  return (
    <div className={`result ${running ? 'stale' : ''}`}>
      <div className="result-head">
        <div className="tabs" role="group" aria-label="View">
          {viewsOf(frames, shown).map((v) => <button key={v} type="button" aria-pressed={v === shown} onClick={() => onView(v)}>{titles[v]}</button>)}
        </div>
        {channel && (
          <div className="stream-state">
            <span className={`dot ${paused ? 'stopped' : stream.connection}`} />
            {paused ? 'Paused' : words[stream.connection]}
            <button type="button" className="icon-button" aria-label={paused ? 'Go on' : 'Pause'} title={paused ? 'Go on' : 'Pause'} onClick={() => setPaused(!paused)}>
              <Icon name={paused ? 'play' : 'pause'} />
            </button>
          </div>
        )}
      </div>
      {stream.error && <Failed error={stream.error} />}
      {frames.length === 0 || frames.every((f) => f.length === 0)
        ? <NoRows answer={answer} />
        : <Suspense><Body key={zone} view={shown} frames={frames} answer={answer} live={channel !== undefined && !paused} onZoom={onZoom} /></Suspense>}
    </div>
  )
}

const words = { connecting: 'Connecting', open: 'Live', lost: 'Connection lost, trying again', over: 'The stream has ended', ended: 'Refused' }

function NoRows({ answer }: { answer: Answer }) {
  if (answer.results.some((r) => r.error)) return null
  return <p className="hint">The query was answered, with no rows: nothing is in this time range, or nothing matches.</p>
}

function Body({ view, frames, answer, live, onZoom }: { view: View; frames: Frame[]; answer: Answer; live: boolean; onZoom: ResultsProps['onZoom'] }) {
  switch (view) {
    case 'graph': return <Graph frames={frames} range={answer.span} live={live} onZoom={onZoom} />
    case 'logs': return <Logs frames={frames} />
    case 'trace': return <Trace frames={frames} />
    case 'raw': return <RawFrames frames={frames} />
    default: return <Table frames={frames} range={answer.span} />
  }
}

/** How an answer is best seen. */
function viewOf(frames: Frame[]): View {
  if (frames.some(isTrace)) return 'trace'
  if (frames.some(isLogs)) return 'logs'
  return isGraph(frames) ? 'graph' : 'table'
}

const viewsOf = (frames: Frame[], shown: View): View[] =>
  (['graph', 'table', 'logs', 'trace', 'raw'] as const).filter((v) => v === shown || v === 'graph' || v === 'table' || v === 'raw' || (v === 'logs' ? frames.some(isLogs) : frames.some(isTrace)))
