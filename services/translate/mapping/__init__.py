"""One file a group of resource kinds: which facts they hold.

Each function takes a resource and a site profile and gives drafts of events. It raises `Review`
or `Ignore`, and nothing else.
"""
