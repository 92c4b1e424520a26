"""Writers of training texts: each takes what is known of an image and gives back drafts.

`types` is the seam, `registry` names the writers, `asking` asks a teacher until an answer passes its checks. Pure: no
torch, no HTTP, no SQL; `workers.annotating` runs them and turns drafts into rows.
"""
