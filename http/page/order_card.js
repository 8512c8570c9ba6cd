// An order on the customer's page: its picture of progress, paying, cancelling. The card sends the
// customer's wish until the answer is certain, also over a reload of the page; the same wish keeps
// its idempotency key. Every tab of a browser has a card of the order: what is stored of the order
// says which wish stands, and each tab looks there before it sends.

import { alone } from './alone.js';
import { attempt, isCertain, isPassing, timeLeft } from './attempt.js';
import { get, newKey, request } from './api.js';
import { el, setText } from './dom.js';
import { drinkPicture } from './drinks.js';
import { drinkName, money, onLanguage, t } from './i18n.js';
import { isKiosk } from './mode.js';
import { lookOf } from './menu.js';
import { change, forget, isWaiting, stored } from './my_orders.js';
import { forgetPhone, payForm } from './pay_form.js';
import { reasonOf } from './problems.js';
import { askToTell, canAsk, tellReady } from './ready.js';
import { icon, progressPicture } from './progress.js';
import { isCancelled, isEnded, later } from './traces.js';

const key_lifetime = 15 * 60_000; // well below the time for which the server knows a key
const called_off = { ok: false, status: 0, calledOff: true };

export class OrderCard {
  /// `order` as in my_orders.js. `page` is told: announce(text), stampsChanged(phoneNumber),
  /// changed(card), removed(card), again(order): a customer wants the like of this order anew.
  constructor(order, page) {
    this.order = order;
    this.page = page;
    this._isStored = stored(order.key) !== undefined; // not in a kiosk, or without storage
    this._abort = new AbortController(); // of the wish that is being sent
    this._sending = undefined; // its key
    this._isStopped = false; // the customer does not want it any more
    this._trouble = undefined; // the last answer that was no good, shown until the next one
    this._asking = false; // whether to cancel
    this._build();
    onLanguage(() => this._show());
  }

  /// Takes up what was under way when the page was left, or begins it.
  resume() {
    const { order } = this;
    if (isWaiting(order)) this._place();
    else if (order.wish?.kind === 'pay') this._pay();
    else if (order.wish?.kind === 'cancel') this._cancel();
  }

  get isOpen() {
    return this.order.id !== undefined && !this.order.gone && !isEnded(this.order.status);
  }

  /// A wish is under way.
  get isBusy() {
    return isWaiting(this.order) || this.order.wish !== undefined;
  }

  /// Takes what the trace says; what ranks lower than what is known changes nothing.
  take(trace) {
    const status = later(this.order.status, trace.status);
    if (status === this.order.status) return;
    const paid = this.order.paid || (status !== 'Order END' && !isCancelled(status));
    this._became(status, { paid });
  }

  /// Takes what another tab of this browser changed.
  adopt(other) {
    const { order } = this;
    const had = order.status;
    const status = later(had, other.status);
    this._keepFocus(() => {
      for (const name of Object.keys(order)) if (!(name in other)) delete order[name];
      Object.assign(order, other, { status });
      if (status !== 'Order END') forgetPhone(order);
      if (this._sending !== undefined && !this._stands(this._sending)) this._abort.abort();
      this._show();
    });
    this.page.changed(this);
    if (had && status !== had) this._announceStatus();
    const wanted = isWaiting(order) ? order.key : order.wish?.key;
    if (wanted !== undefined && wanted !== this._sending) this.resume();
  }

  /// Takes the card away, without a word to the storage: another tab forgot the order, or the
  /// customer of a shared tablet has left.
  drop() {
    this._abort.abort();
    this.element.remove();
  }

  /// Asks the trace, for when the stream may have missed something. False where it did not answer.
  async refresh() {
    const answer = await get(`/orderTraces/${this.order.id}`);
    if (answer.ok) this.take(answer.body);
    else if (answer.status === 404) await this._mayBeGone();
    return answer.ok || answer.status === 404;
  }

  focus() {
    this.heading.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'nearest' });
  }

  async _place() {
    const { order } = this;
    const { productId, productName, qty, cost, paymentType } = order;
    const body = { productId, productName, qty, cost, paymentType };
    const answer = await this._send('POST', '/orders', order.key, order.placed, body);
    if (answer.ok) {
      this._set({ id: answer.body.id, unsure: undefined, unknown: undefined });
      this._became('Order END');
      this.page.announce(t('order.placed', { id: order.id }));
      return;
    }
    await alone(order.key, async () => this._giveUp(answer));
  }

  /// The order was not placed, as far as its last answer says. No other tab is sending it at this
  /// moment.
  _giveUp(answer) {
    if (!this._stands(this.order.key)) return;
    const isPending = answer.expired || answer.calledOff || isPassing(answer);
    const isUnsure = isPending && this._unsure > 0;
    if (this._isStopped && !isUnsure) return this._remove();
    this._trouble = answer.expired || answer.calledOff ? undefined : answer;
    if (isUnsure) this._set({ unknown: true });
    else this._set(answer.expired ? { expired: true } : { refused: true });
  }

  async _pay() {
    const { key, body, asked } = this.order.wish;
    const answer = await this._send('PATCH', `/payments/${this.order.id}`, key, asked, body);
    const stands = this._stands(key);
    if (answer.ok) this._set({ paid: true });
    if (!stands) return; // a cancel has taken its place, or another tab has carried it out
    this._set({ wish: undefined });
    if (!answer.ok) return this._failed(answer, 'PAY END');
    this._became(later(this.order.status, 'PAY END'));
    if (body.phoneNumber) this.page.stampsChanged(body.phoneNumber, this.order.key);
  }

  async _cancel() {
    const { key, asked } = this.order.wish;
    const answer = await this._send('DELETE', `/orders/${this.order.id}`, key, asked);
    if (!this._stands(key)) return;
    this._set({ wish: undefined });
    if (!answer.ok) return this._failed(answer, 'ORDER CANCEL');
    this._became('ORDER CANCEL');
    this.page.stampsChanged();
  }

  /// Sends the wish with this key until the answer is certain, the wish stands no more, or its time
  /// is over. Returns the last answer.
  async _send(method, path, key, asked, body) {
    this._abort = new AbortController();
    this._sending = key;
    this._trouble = undefined;
    this._show();
    const answer = await attempt(() => this._sendOnce(method, path, key, body), {
      signal: this._abort.signal,
      limit: timeLeft(asked, Date.now(), key_lifetime),
      passing: (answer) => !answer.calledOff && isPassing(answer),
      onWait: (answer) => {
        if (this._sending !== key) return;
        this._trouble = answer;
        this._show();
      },
    });
    if (this._sending === key) this._trouble = undefined;
    return answer;
  }

  _sendOnce(method, path, key, body) {
    return alone(key, async () => {
      if (!this._stands(key)) return called_off;
      const isOrder = key === this.order.key;
      if (isOrder) this._set({ unsure: this._unsure + 1 });
      const answer = await request(method, path, { body, key });
      if (isOrder && isCertain(answer)) this._set({ unsure: Math.max(0, this._unsure - 1) });
      return answer;
    });
  }

  /// The order as all tabs know it by now; undefined once one of them forgot it.
  get _now() {
    return this._isStored ? stored(this.order.key) : this.order;
  }

  get _unsure() {
    return this._now?.unsure || 0;
  }

  /// Whether the wish with this key is wanted still; the order's own key is that of placing it.
  _stands(key) {
    const now = this._now;
    if (!now) return false;
    return key === now.key ? isWaiting(now) : now.wish?.key === key;
  }

  _wish(kind, body) {
    this._abort.abort();
    this._set({ wish: { kind, key: newKey(), asked: Date.now(), body } });
    this.resume();
  }

  /// `wanted` is the status that the wish would have led to.
  _failed(answer, wanted) {
    const isDone = later(this.order.status, wanted) === this.order.status;
    this._trouble = answer.expired && isDone ? undefined : answer;
    this._show();
    this.refresh();
  }

  async _mayBeGone() {
    const answer = await get(`/orders/${this.order.id}`);
    if (answer.status !== 404) return; // the view has not seen it yet
    this._set({ gone: true });
  }

  _became(status, changes = {}) {
    const had = this.order.status;
    this._keepFocus(() => {
      if (status !== 'Order END') forgetPhone(this.order);
      if (isEnded(status)) this._asking = false;
      this._trouble = undefined;
      this._set({ ...changes, status });
    });
    // A tab that was told by another one has the status already: one of them tells the customer.
    if (had && status === 'DELIVERY READY') tellReady(this.order);
    if (had) this._announceStatus();
  }

  _announceStatus() {
    this.page.announce(`${this._title()}: ${t(`now.${this.order.status}`)}`);
  }

  /// A focus that what `work` does would lose goes to the card's heading.
  _keepFocus(work) {
    const had = this.element.contains(document.activeElement);
    work();
    if (had && !document.activeElement?.getClientRects().length) this.focus();
  }

  _set(changes) {
    Object.assign(this.order, changes);
    change(this.order.key, changes);
    this._show();
    this.page.changed(this);
  }

  _remove() {
    forget(this.order);
    forgetPhone(this.order);
    this.drop();
    this.page.removed(this);
  }

  _stop() {
    this._isStopped = true;
    this._abort.abort();
  }

  _title() {
    return this.order.id === undefined ? t('order.new') : t('order.number', { id: this.order.id });
  }

  _build() {
    const { order } = this;
    const button = (className, onclick) =>
      el('button', { type: 'button', className, 'data-changes': '', onclick });
    this.heading = el('h3', { tabIndex: -1, id: `order-${order.key}` });
    this.what = el('p', { className: 'what' });
    this.now = el('p', { className: 'now' });
    this.readyNumber = el('span', { className: 'ready-number', 'aria-hidden': 'true' });
    this.more = el('p', { className: 'quiet' });
    this.trouble = el('p', { className: 'trouble', role: 'status' });
    this.progress = progressPicture();
    this.pay = payForm(order, (body) => this._wish('pay', body));
    this.cancelButton = button('plain', () => this._ask(true));
    this.sure = el('p', {});
    this.yes = button('danger', () => this._wish('cancel'));
    this.no = button('plain', () => this._ask(false));
    this.confirm = el('div', { className: 'confirm', role: 'group' }, this.sure, this.yes, this.no);
    this.removeButton = button('plain', () =>
      isWaiting(this.order) ? this._stop() : this._remove(),
    );
    this.tellButton = el('button', {
      type: 'button',
      onclick: () => askToTell(() => this._show()),
    });
    this.againButton = button('primary', () => {
      this._remove();
      this.page.again(order);
    });
    this.cross = el('span', { className: 'cross' }, icon('cancelled'));
    this.element = el(
      'article',
      { className: 'order', 'aria-labelledby': this.heading.id },
      el(
        'header',
        {},
        drinkPicture(lookOf(order.productName)),
        el('div', {}, this.heading, this.what),
      ),
      this.progress.list,
      el('div', { className: 'now-line' }, this.cross, this.now, this.readyNumber),
      this.more,
      this.trouble,
      this.pay.form,
      el(
        'div',
        { className: 'actions' },
        this.cancelButton,
        this.confirm,
        this.tellButton,
        this.againButton,
        this.removeButton,
      ),
    );
  }

  _ask(asking) {
    this._asking = asking;
    this._show();
    (asking ? this.no : this.cancelButton).focus();
  }

  _show() {
    const { order } = this;
    const waiting = isWaiting(order);
    const cancelling = order.wish?.kind === 'cancel';
    setText(this.heading, this._title());
    setText(
      this.what,
      `${t('order.cups', { qty: order.qty, drink: drinkName(order.productName) })}` +
        ` · ${money(order.cost)}`,
    );
    this.readyNumber.hidden = order.status !== 'DELIVERY READY';
    setText(this.readyNumber, String(order.id));
    setText(this.now, waiting ? t('order.placing') : order.status ? t(`now.${order.status}`) : '');
    setText(this.more, this._moreText());
    setText(this.trouble, this._troubleText(waiting));
    this.progress.list.setAttribute('aria-label', t('order.progress', { id: order.id ?? '' }));
    this.progress.update(order.status);
    if (isCancelled(order.status) || !order.status || order.gone) this.progress.list.hidden = true;
    this.cross.hidden = !isCancelled(order.status);
    this.pay.show(
      order.status === 'Order END' && !cancelling && !order.gone,
      order.wish?.kind === 'pay',
    );
    setText(this.cancelButton, t(cancelling ? 'order.cancelling' : 'order.cancel'));
    this.cancelButton.hidden = !this.isOpen || (this._asking && !cancelling);
    this.cancelButton.disabled = cancelling;
    this.confirm.hidden = !this.isOpen || !this._asking || cancelling;
    setText(this.sure, t('order.cancelSure', { id: order.id }));
    setText(this.yes, t('order.cancelYes'));
    setText(this.no, t('order.cancelNo'));
    const mayStop = waiting && this._trouble && isCertain(this._trouble) && !order.unsure;
    setText(this.removeButton, t(waiting ? 'order.stop' : 'order.remove'));
    const notTaken = Boolean(order.refused || order.unknown || order.expired);
    setText(this.tellButton, t('ready.ask'));
    this.tellButton.hidden = !(this.isOpen && order.status === 'PAY END' && !isKiosk && canAsk());
    setText(this.againButton, t('order.again'));
    this.againButton.hidden = !notTaken;
    this.removeButton.hidden = !(mayStop || notTaken || order.gone || isEnded(order.status));
    const isReady = order.status === 'DELIVERY READY';
    const look = isEnded(order.status) ? ' ended' : isReady ? ' ready' : '';
    this.element.className = `order${look}`;
  }

  _moreText() {
    const { order } = this;
    if (order.gone) return t('order.gone');
    if (order.unknown) return t('order.unknown');
    if (order.expired) return t('order.expired');
    if (order.refused) return t('order.refused');
    if (!isCancelled(order.status)) return '';
    return order.paid ? t('order.refunded', { cost: money(order.cost) }) : t('order.notPaid');
  }

  _troubleText(waiting) {
    if (!this._trouble) return '';
    const reason = reasonOf(this._trouble);
    return waiting || this.order.wish ? t('problem.waiting', { reason }) : reason;
  }
}
