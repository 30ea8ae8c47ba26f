"""A period's figures as a document that people read: on a page, as PDF and as DOCX, and the cases behind each number."""
