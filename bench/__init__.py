"""The measurements behind the README's figures: `make bench`.

Each module measures one thing beside the peer or the limit that it is to be judged by, in
the same run, because machines are noisy and only ratios last.
"""
