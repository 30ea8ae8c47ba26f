"""Supervision in three levels: reminder (催办), written supervision (督办), listed supervision (挂牌督办)."""
