"""Any day that the protocol knows."""

from datetime import date

from hypothesis import strategies as st

days = st.dates(date(2000, 1, 1), date(2999, 12, 31))
