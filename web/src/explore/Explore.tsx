import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { sources } from '../api/queries.ts'
import { exploreRoute } from '../router.tsx'
import { Empty, Failed, Loading } from '../ui/states.tsx'
import { PaneView } from './PaneView.tsx'
import { paneOf, readPanes, type Pane } from './state.ts'

export default function Explore() {
  const { panes: said } = exploreRoute.useSearch()
  const navigate = useNavigate({ from: '/explore' })
  const known = useQuery(sources())
  const first = known.data?.find((s) => s.isDefault) ?? known.data?.[0]
  const panes = useMemo(() => {
    const read = readPanes(said)
    return read.length ? read : first ? [paneOf(first.uid)] : []
  }, [said, first])

  if (known.isPending) return <Loading />
  if (!known.data) return <Failed error={known.error} />
  if (!known.data.length) {
    return <Empty title="There is nothing to explore yet"><p>Explore asks data sources, and none is configured.</p><Link className="button primary" to="/datasources/new">Add a data source</Link></Empty>
  }
  const show = (panes: Pane[], replace = false) => void navigate({ search: { panes }, replace })
  return (
    <div className={`panes count-${Math.min(panes.length, 2)}`}>
      <h1 className="unseen">Explore</h1>
      {panes.map((pane, i) => (
        <PaneView key={i} pane={pane} name={panes.length > 1 ? `Pane ${i + 1}` : 'Pane'} sources={known.data}
          onChange={(changed, replace) => show(panes.with(i, changed), replace)}
          onSplit={() => show(panes.toSpliced(i + 1, 0, pane))}
          onClose={panes.length > 1 ? () => show(panes.toSpliced(i, 1)) : undefined} />
      ))}
    </div>
  )
}
