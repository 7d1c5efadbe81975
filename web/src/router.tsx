// The pages, by their paths. Each is loaded when it is first gone to.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate } from '@tanstack/react-router'
import type { Pane } from './explore/state.ts'
import { Shell } from './shell/Shell.tsx'
import { Failed, Loading, NotFound } from './ui/states.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

const page = <Path extends string>(path: Path, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) })

export const exploreRoute = createRoute({
  getParentRoute: () => root,
  path: '/explore',
  // What is in the URL may be anything: what is no pane is left out.
  validateSearch: (search: Record<string, unknown>): { panes?: Pane[] } => ({ panes: Array.isArray(search.panes) ? search.panes : undefined }),
  component: lazyRouteComponent(() => import('./explore/Explore.tsx')),
})

export const liveRoute = createRoute({
  getParentRoute: () => root,
  path: '/live',
  validateSearch: (search: Record<string, unknown>): { channel?: string } => ({ channel: search.channel ? String(search.channel) : undefined }),
  component: lazyRouteComponent(() => import('./live/Live.tsx')),
})

export const newSourceRoute = createRoute({
  getParentRoute: () => root,
  path: '/datasources/new',
  validateSearch: (search: Record<string, unknown>): { plugin?: string; from?: string } => ({
    plugin: search.plugin ? String(search.plugin) : undefined,
    from: search.from ? String(search.from) : undefined,
  }),
  component: lazyRouteComponent(() => import('./sources/NewSource.tsx')),
})

export const resourcesRoute = createRoute({
  getParentRoute: () => root,
  path: '/resources',
  validateSearch: (search: Record<string, unknown>): { of?: string; path?: string } => ({
    of: search.of ? String(search.of) : undefined,
    path: search.path ? String(search.path) : undefined,
  }),
  component: lazyRouteComponent(() => import('./resources/Resources.tsx')),
})

const tree = root.addChildren([
  page('/home', () => import('./home/Home.tsx')),
  createRoute({ getParentRoute: () => root, path: '/login', component: () => <Navigate to="/home" replace /> }),
  exploreRoute,
  page('/datasources', () => import('./sources/Sources.tsx')),
  newSourceRoute,
  page('/datasources/$uid', () => import('./sources/Source.tsx')),
  page('/plugins', () => import('./plugins/Plugins.tsx')),
  page('/plugins/$id', () => import('./plugins/PluginPage.tsx')),
  liveRoute,
  resourcesRoute,
])

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error }) => <Failed error={error as Error} />,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
  interface HistoryState {
    /** What the page shows was just made, and is to be tried. */
    isNew?: boolean
  }
}
