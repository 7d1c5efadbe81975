// What stands where something is not: not yet, not any more, not at all.
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { ApiError } from '../api/http.ts'
import { Icon } from './icons.tsx'

export function Loading() {
  return <p className="loading" role="status"><span className="spinner" /> Loading…</p>
}

const faults: Record<string, string> = { plugin: 'The plugin is at fault', downstream: 'What the plugin asks is at fault' }

/** An error beside its cause: what went wrong, whose fault it is, and what one may do. */
export function Failed({ error, again, children }: { error: Error; again?: () => void; children?: ReactNode }) {
  const fault = error instanceof ApiError ? faults[error.source] : undefined
  return (
    <div className="failed" role="alert">
      <Icon name="warn" />
      <div>
        <p className="message" tabIndex={error.message.length > 500 ? 0 : undefined}>{error.message}</p>
        {fault && <p className="quiet">{fault}.</p>}
        {children}
        {again && <button type="button" className="button" onClick={again}><Icon name="restart" />Try again</button>}
      </div>
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

export function NotFound() {
  return <Empty title="There is no such page"><p>It may have moved, or never been. <Link to="/home">Go home</Link>.</p></Empty>
}
