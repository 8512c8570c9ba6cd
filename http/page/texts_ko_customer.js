// What the pages say to customers in Korean in another tone than to the staff: 해요, not 합니다. The
// other texts of the customer's page are in texts_ko.js.

export const koCustomer = {
  'trouble.network':
    '매장 서버에 연결할 수 없어요. 계속 다시 시도하고 있고, 입력한 내용은 그대로 남아요.',
  'trouble.networkOnly': '매장 서버에 연결할 수 없어요. 계속 다시 시도하고 있어요.',
  'trouble.order': '지금은 주문을 받거나 취소할 수 없어요. 나머지는 그대로 돼요.',
  'trouble.payment':
    '결제가 응답하지 않아 새 주문과 결제가 잠시 멈춰요. 취소를 비롯한 나머지는 그대로 돼요.',
  'trouble.delivery':
    '제조 안내가 멈춰 주문이 지금 단계에 머물러요. 주문과 결제는 계속되고, 돌아오면 다음 단계로 넘어가요.',
  'trouble.stamp': '스탬프 적립이 잠시 멈췄어요. 돌아오면 빠짐없이 적립돼요.',
  'trouble.ordertrace':
    '실시간 진행 상황이 멈췄어요. 주문은 계속되고, 돌아오면 진행 상황이 다시 보여요.',
  'trouble.database': '매장 시스템이 응답하지 않아요. 계속 다시 시도하고 있어요.',
  'trouble.over': '다시 정상이에요.',
  'problem.waiting': '{reason} 계속 다시 시도하고 있어요.',
  'problem.expired':
    '15분 안에 보내지 못해 이 요청은 더 이상 보내지 않아요. 아직 원하시면 다시 요청해 주세요.',
  'problem.network': '매장 서버에 연결할 수 없어요.',
  'problem.payment-unavailable': '결제가 지금 응답하지 않아요.',
  'problem.service-away': '이 일을 맡은 서비스가 잠시 멈췄어요.',
  'problem.overloaded': '지금 매장이 매우 바빠요.',
  'problem.shutting-down': '서버를 다시 시작하고 있어요.',
  'problem.store-full': '매장 시스템에 남은 공간이 없어요.',
  'problem.store-failed': '매장 시스템이 응답하지 않아요.',
  'problem.outcome-unknown': '제때 확실한 답이 오지 않았어요.',
  'problem.already-delivered': '이미 픽업됐어요.',
  'problem.already-cancelled': '이미 취소됐어요.',
  'problem.already-paid': '이미 다른 방법으로 결제됐어요.',
  'problem.not-allowed': '이미 다른 단계에 있어요.',
  'problem.invalid-field': '입력한 내용을 확인해 주세요: {detail}',
  'problem.server': '서버가 지금 처리하지 못했어요.',
};
