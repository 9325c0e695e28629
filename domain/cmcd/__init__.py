"""Common Media Client Data (CTA-5004-B), version 2 in event mode: what players report by themselves."""
