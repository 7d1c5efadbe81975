import './style/base.css'
import './style/shell.css'
import './style/parts.css'
import './style/explore.css'
import './style/pages.css'
import 'uplot/dist/uPlot.min.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { client } from './api/queries.ts'
import { router } from './router.tsx'
import { startTheme } from './shell/theme.ts'

startTheme()

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
