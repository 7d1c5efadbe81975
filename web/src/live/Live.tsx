import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { sources } from '../api/queries.ts'
import { Graph } from '../explore/Graph.tsx'
import { useStream } from '../explore/stream.ts'
import { Table } from '../explore/Table.tsx'
import { formatCount } from '../frame/format.ts'
import { isNumeric, isTime } from '../frame/frame.ts'
import { liveRoute } from '../router.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'

const words = { connecting: 'Connecting', open: 'Live', lost: 'Connection lost, trying again', over: 'The stream has ended', ended: 'Refused' }

/** A stream as it comes. */
export default function Live() {
  const { channel } = liveRoute.useSearch()
  const navigate = useNavigate({ from: '/live' })
  const known = useQuery(sources()).data
  const [text, setText] = useState(channel ?? '')
  const [paused, setPaused] = useState(false)
  const stream = useStream(channel, paused)
  const rate = useRate(stream.packets)
  const drawn = stream.frame?.fields.some(isTime) && stream.frame.fields.some(isNumeric)
  return (
    <div className="page">
      <header className="page-head">
        <h1>Live</h1>
        <p className="quiet">What plugins send by themselves. A channel is <code>ds/UID/PATH</code> or <code>plugin/ID/PATH</code>; the path is the plugin's affair.</p>
      </header>
      <form className="live-form" onSubmit={(event) => (event.preventDefault(), setPaused(false), void navigate({ search: { channel: text.trim() || undefined } }))}>
        <input aria-label="Channel" placeholder="ds/vitals/vitals" list="channels" value={text} spellCheck={false} autoComplete="off" onChange={(event) => setText(event.target.value)} />
        <datalist id="channels">{known?.map((s) => <option key={s.uid} value={`ds/${s.uid}/`}>{s.name}</option>)}</datalist>
        <button className="button primary"><Icon name="live" />Listen</button>
      </form>
      {channel ? (
        <section className="card live" aria-label={channel}>
          <header>
            <span className="stream-state" role="status"><span className={`dot ${paused ? '' : stream.connection}`} />{paused ? 'Paused' : words[stream.connection]}</span>
            <span className="quiet">{formatCount(stream.packets)} packets · {paused ? 0 : rate.toFixed(1)}/s</span>
            <button type="button" className="button" onClick={() => setPaused(!paused)}><Icon name={paused ? 'play' : 'pause'} />{paused ? 'Go on' : 'Pause'}</button>
          </header>
          {stream.error ? <Failed error={stream.error} /> : !stream.frame ? <p className="hint">Nothing has come yet.</p> : drawn ? <Graph frames={[stream.frame]} range={[0, 300_000]} live /> : <Table frames={[stream.frame]} />}
        </section>
      ) : <p className="hint">Name a channel to listen to it.</p>}
    </div>
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
