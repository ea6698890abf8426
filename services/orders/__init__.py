"""The contract from award to closing: who won, what was agreed, what arrived, what was accepted, where the rest went.

Owns award, order, order_line, expected_delivery, receipt, receipt_line, remainder and obligation.
Tells order.*, receipt.inspected, obligation.fulfilled and obligation.waived.
"""
