"""The documentation that is made from the code: reference pages and pictures, and what keeps them true."""
