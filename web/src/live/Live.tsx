import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { plugins, sources } from '../api/queries.ts'
import { Graph } from '../explore/Graph.tsx'
import { useStream } from '../explore/stream.ts'
import { Table } from '../explore/Table.tsx'
import { formatCount } from '../frame/format.ts'
import { isNumeric, isTime } from '../frame/frame.ts'
import { liveRoute } from '../router.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import { useTitle } from '../ui/title.ts'
import { channelOf, partsOf } from './channel.ts'

/** A stream as it comes. */
export default function Live() {
  const { channel } = liveRoute.useSearch()
  useTitle(channel, 'Live')
  return (
    <div className="page">
      <header className="page-head">
        <h1>Live</h1>
        <p className="under quiet">What plugins send by themselves.</p>
      </header>
      <Choose key={channel} channel={channel} />
      {channel
        ? <Stream key={channel} channel={channel} />
        : <p className="hint">Choose whose stream it is, and name its path: which there are is the plugin’s affair. The demo has <code>vitals</code> of <b>Vitals</b>.</p>}
    </div>
  )
}

/** Whose stream, and which. A whole channel may be put into the path. */
function Choose({ channel }: { channel?: string }) {
  const navigate = useNavigate({ from: '/live' })
  const known = useQuery(sources()).data ?? []
  const apps = useQuery(plugins()).data?.filter((p) => p.type === 'app') ?? []
  const named = partsOf(channel ?? '')
  const [of, setOf] = useState(named?.of)
  const [path, setPath] = useState(named?.path ?? '')
  const chosen = of ?? (known[0] && `ds/${known[0].uid}`) ?? ''
  const gone = of !== undefined && known.length > 0 && ![...known.map((s) => `ds/${s.uid}`), ...apps.map((p) => `plugin/${p.id}`)].includes(of)
  const write = (text: string) => {
    const whole = partsOf(text)
    if (whole) setOf(whole.of)
    setPath(whole ? whole.path : text)
  }
  return (
    <form className="card live-form" onSubmit={(event) => (event.preventDefault(), void navigate({ search: { channel: channelOf(chosen, path) } }))}>
      <label>Of
        <select value={chosen} onChange={(event) => setOf(event.target.value)}>
          {gone && <option value={of}>{of} (not there)</option>}
          {known.map((s) => <option key={s.uid} value={`ds/${s.uid}`}>{s.name}</option>)}
          {apps.map((p) => <option key={p.id} value={`plugin/${p.id}`}>{p.name}</option>)}
        </select>
      </label>
      <label>Path<input placeholder="vitals" value={path} required spellCheck={false} autoComplete="off" onChange={(event) => write(event.target.value)} /></label>
      <button className="button primary" disabled={!chosen}><Icon name="live" />Listen</button>
    </form>
  )
}

const words = { connecting: 'Connecting', open: 'Live', lost: 'Connection lost, trying again', over: 'The stream has ended', ended: 'Refused' }

type View = 'Graph' | 'Table' | 'Packets'

function Stream({ channel }: { channel: string }) {
  const [paused, setPaused] = useState(false)
  const [chosen, setChosen] = useState<View>()
  const stream = useStream(channel, paused)
  const rate = useRate(stream.packets)
  const { frame } = stream
  const drawn = frame?.fields.some(isTime) && frame.fields.some(isNumeric)
  const views: View[] = frame ? (drawn ? ['Graph', 'Table', 'Packets'] : ['Table', 'Packets']) : ['Packets']
  const view = chosen && views.includes(chosen) ? chosen : views[0]
  const over = stream.connection === 'over' || stream.connection === 'ended'
  return (
    <section className="card live" aria-label={channel}>
      <header>
        <span className="stream-state" role="status"><span className={`dot ${paused && !over ? '' : stream.connection}`} />{paused && !over ? 'Paused' : words[stream.connection]}</span>
        <span className="quiet">{formatCount(stream.packets)} {stream.packets === 1 ? 'packet' : 'packets'} · {paused || over ? 0 : rate.toFixed(rate < 10 ? 1 : 0)}/s</span>
        <span className="spread" />
        <div className={`tabs ${views.length === 1 ? 'single' : ''}`} role="group" aria-label="View">{views.map((v) => <button key={v} type="button" aria-pressed={v === view} onClick={() => setChosen(v)}>{v}</button>)}</div>
        {over
          ? <button type="button" className="button" onClick={stream.again}><Icon name="restart" />Listen again</button>
          : <button type="button" className="button" onClick={() => setPaused(!paused)}><Icon name={paused ? 'play' : 'pause'} />{paused ? 'Go on' : 'Pause'}</button>}
      </header>
      {stream.error && <Failed error={stream.error} />}
      <div className="live-body">
        {stream.packets === 0 ? !stream.error && <p className="hint">Nothing has come yet.</p>
          : view === 'Graph' ? <Graph frames={[frame!]} range={[0, 300_000]} live />
          : view === 'Table' ? <Table frames={[frame!]} />
          : <pre className="packets" tabIndex={0} aria-label="The last packets, latest first">{stream.tail.toReversed().join('\n')}</pre>}
      </div>
    </section>
  )
}

/** How many a second, over the last five. */
function useRate(count: number): number {
  const latest = useRef(count)
  latest.current = count
  const [rate, setRate] = useState(0)
  useEffect(() => {
    const seen: number[] = [latest.current]
    const timer = setInterval(() => {
      seen.push(latest.current)
      if (seen.length > 6) seen.shift()
      setRate((seen.at(-1)! - seen[0]) / (seen.length - 1))
    }, 1_000)
    return () => clearInterval(timer)
  }, [])
  return rate
}
