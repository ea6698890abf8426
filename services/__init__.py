"""Backhaul's server: one package, a package per bounded context, read from the bottom up.

kernel         knows no context: settings, clock, ids, money, masses, states, unit of work, events, jobs, timers, HTTP manners
parties        organizations, sites, members, API keys, permits
listings       what is offered: listings, items, manifests and their import
pickups        who moves it: jobs, offers to carriers, dock slots, handovers
payments       whose money it is: deals, the ledger, Stripe and its simulator
webhooks       who hears of it: endpoints, deliveries, the event feed
bidding        who wants it: bids, the auction clock, ranking
orders         the contract from award to settlement: lines, receipts, inspections, remainders, obligations
certification  what became of it: batches, custody events, impact, certificates

reactions      every cross-context reaction to an event, on one page
app · worker   the HTTP application; the process that runs sequencer, reactions, jobs and timers
processes      those of one market on this machine, supervised
demo · sandbox the main job played through the SDK; a market with a ready-made cast to build against
cli            the `backhaul` command

Calls go down this list, news goes up as events (import-linter holds us to it).
"""
