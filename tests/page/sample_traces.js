// Traces as the API gives them.

export const trace = (id, status, timestamp) => ({
  id,
  productId: 1,
  productName: 'Coffee',
  qty: 1,
  status,
  timestamp,
});
