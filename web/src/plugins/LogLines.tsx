import { useEffect, useRef, useState } from 'react'
import { listen } from '../api/events.ts'
import type { LogLine } from '../api/types.ts'
import { formatTime } from '../frame/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'

// Lines before these are forgotten.
const most = 1_000

/** The log of a plugin as it is written, until that is paused. */
export function LogLines({ id }: { id: string }) {
  const [lines, setLines] = useState<LogLine[]>([])
  const [paused, setPaused] = useState(false)
  const [lost, setLost] = useState(false)
  const [error, setError] = useState<Error>()
  const [text, setText] = useState('')
  useEffect(() => {
    if (paused) return
    return listen(`/api/plugins/${encodeURIComponent(id)}/logs?follow=1&lines=200`, {
      open: () => (setLost(false), setError(undefined)),
      lost: () => setLost(true),
      refused: setError,
      packet: (text) => {
        const line: LogLine = JSON.parse(text)
        setLines((was) => (was.some((l) => l.number >= line.number) ? was : [...was, line].slice(-most)))
      },
    })
  }, [id, paused])

  const box = useRef<HTMLOListElement>(null)
  const shown = lines.filter((l) => `${l.level} ${l.message} ${l.attrs}`.toLowerCase().includes(text.toLowerCase()))
  useEffect(() => {
    const { scrollHeight, scrollTop, clientHeight } = box.current!
    // Who has scrolled up reads there.
    if (scrollHeight - scrollTop - clientHeight < 120) box.current!.scrollTo(0, scrollHeight)
  }, [shown.length])
  return (
    <section className="card" aria-labelledby="log">
      <header>
        <h2 id="log">Log</h2>
        <div className="buttons">
          <span className="stream-state"><span className={`dot ${paused ? '' : lost ? 'lost' : 'open'}`} />{paused ? 'Paused' : lost ? 'Connection lost, trying again' : 'Live'}</span>
          <input type="search" aria-label="Filter the log" placeholder="Filter" value={text} onChange={(event) => setText(event.target.value)} />
          <button type="button" className="icon-button" aria-label={paused ? 'Go on' : 'Pause'} title={paused ? 'Go on' : 'Pause'} onClick={() => setPaused(!paused)}><Icon name={paused ? 'play' : 'pause'} /></button>
        </div>
      </header>
      {error && <Failed error={error} />}
      <ol className="log-lines" ref={box} tabIndex={0} aria-labelledby="log">
        {shown.map((line) => (
          <li key={line.number} className={line.level}>
            <time dateTime={line.time}>{formatTime(Date.parse(line.time)).slice(11)}</time><b>{line.level}</b><span>{line.message} <span className="quiet">{line.attrs}</span></span>
          </li>
        ))}
        {shown.length === 0 && <li className="quiet">{lines.length ? 'No line has that in it.' : 'Nothing is logged yet.'}</li>}
      </ol>
    </section>
  )
}
