// An order on the customer's page: its picture of progress, paying, cancelling. The card sends the
// customer's wish until the answer is certain, also over a reload of the page; the same wish keeps
// its idempotency key.

import { attempt, isCertain, isPassing, timeLeft } from './attempt.js';
import { get, newKey, request } from './api.js';
import { el, setText } from './dom.js';
import { drinkPicture } from './drinks.js';
import { drinkName, money, onLanguage, t } from './i18n.js';
import { isKiosk } from './mode.js';
import { lookOf } from './menu.js';
import { forget, remember } from './my_orders.js';
import { forgetPhone, payForm } from './pay_form.js';
import { reasonOf } from './problems.js';
import { askToTell, canAsk, tellReady } from './ready.js';
import { icon, progressPicture } from './progress.js';
import { isCancelled, isEnded, later } from './traces.js';

const key_lifetime = 15 * 60_000; // well below the time for which the server knows a key

export class OrderCard {
  /// `order` as in my_orders.js. `page` is told: announce(text), stampsChanged(phoneNumber),
  /// changed(card), removed(card), again(order): a customer wants the like of this order anew.
  constructor(order, page) {
    this.order = order;
    this.page = page;
    this._abort = new AbortController();
    this._trouble = undefined; // the last answer that was no good, shown until the next one
    this._asking = false; // whether to cancel
    this._build();
    onLanguage(() => this._show());
  }

  /// Takes up what was under way when the page was left, or begins it.
  resume() {
    const { order } = this;
    if (this._isWaiting) this._place();
    else if (order.wish?.kind === 'pay') this._pay();
    else if (order.wish?.kind === 'cancel') this._cancel();
  }

  /// The shop has not said yet whether it takes the order.
  get _isWaiting() {
    const { id, refused, unknown, expired } = this.order;
    return id === undefined && !refused && !unknown && !expired;
  }

  get isOpen() {
    return this.order.id !== undefined && !this.order.gone && !isEnded(this.order.status);
  }

  /// A wish is under way.
  get isBusy() {
    return this._isWaiting || this.order.wish !== undefined;
  }

  /// Takes what the trace says; what ranks lower than what is known changes nothing.
  take(trace) {
    const status = later(this.order.status, trace.status);
    if (status === this.order.status) return;
    if (status !== 'Order END' && !isCancelled(status)) this.order.paid = true;
    this._became(status);
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
    const answer = await this._send('POST', '/orders', order.key, order.placed, {
      productId,
      productName,
      qty,
      cost,
      paymentType,
    });
    if (answer.ok) {
      order.id = answer.body.id;
      this._became('Order END');
      this.page.announce(t('order.placed', { id: order.id }));
      return;
    }
    if (this._abort.signal.aborted && isCertain(answer)) {
      this._remove();
      return;
    }
    if (answer.expired) order.expired = true;
    else if (isPassing(answer) && !isCertain(answer)) order.unknown = true;
    else order.refused = true;
    this._trouble = answer.expired ? undefined : answer;
    this._save();
  }

  async _pay() {
    const { order } = this;
    const { key, body, asked } = order.wish;
    const answer = await this._send('PATCH', `/payments/${order.id}`, key, asked, body);
    if (this._abort.signal.aborted) return; // a cancel has taken its place
    delete order.wish;
    if (answer.ok) {
      order.paid = true;
      this._became(later(order.status, 'PAY END'));
      if (body.phoneNumber) this.page.stampsChanged(body.phoneNumber);
      return;
    }
    this._failed(answer, 'PAY END');
  }

  async _cancel() {
    const { order } = this;
    const answer = await this._send(
      'DELETE',
      `/orders/${order.id}`,
      order.wish.key,
      order.wish.asked,
    );
    delete order.wish;
    if (answer.ok) {
      this._became('ORDER CANCEL');
      this.page.stampsChanged();
      return;
    }
    this._failed(answer, 'ORDER CANCEL');
  }

  _send(method, path, key, asked, body) {
    this._abort = new AbortController();
    this._trouble = undefined;
    this._save();
    return attempt(() => request(method, path, { body, key }), {
      signal: this._abort.signal,
      limit: timeLeft(asked, Date.now(), key_lifetime),
      onWait: (answer) => {
        this._trouble = answer;
        this._show();
      },
    }).then((answer) => {
      this._trouble = undefined;
      return answer;
    });
  }

  _wish(kind, body) {
    this._abort.abort();
    this.order.wish = { kind, key: newKey(), asked: Date.now(), body };
    if (kind === 'pay') this._pay();
    else this._cancel();
  }

  /// `wanted` is the status that the wish would have led to.
  _failed(answer, wanted) {
    const isDone = later(this.order.status, wanted) === this.order.status;
    this._trouble = answer.expired && isDone ? undefined : answer;
    this._save();
    this.refresh();
  }

  async _mayBeGone() {
    const answer = await get(`/orders/${this.order.id}`);
    if (answer.status !== 404) return; // the view has not seen it yet
    this.order.gone = true;
    this._save();
  }

  _became(status) {
    const had = this.order.status;
    const held_focus = this.element.contains(document.activeElement);
    this.order.status = status;
    if (status !== 'Order END') forgetPhone(this.order);
    if (isEnded(status)) this._asking = false;
    if (had && status === 'DELIVERY READY') tellReady(this.order);
    this._trouble = undefined;
    this._save();
    if (held_focus && !document.activeElement?.getClientRects().length) this.focus();
    if (had) this.page.announce(`${this._title()}: ${t(`now.${status}`)}`);
  }

  _save() {
    remember(this.order);
    this._show();
    this.page.changed(this);
  }

  _remove() {
    forget(this.order);
    forgetPhone(this.order);
    this._abort.abort();
    this.element.remove();
    this.page.removed(this);
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
      this._isWaiting ? this._abort.abort() : this._remove(),
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
    const waiting = this._isWaiting;
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
    const mayStop = waiting && this._trouble && isCertain(this._trouble);
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
