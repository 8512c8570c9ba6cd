// An order on the customer's page: its picture of progress, paying, cancelling. The card sends the
// customer's wish until the answer is certain, also over a reload of the page; the same wish keeps
// its idempotency key.

import { attempt, isCertain, isPassing, timeLeft } from './attempt.js';
import { get, newKey, request } from './api.js';
import { el, setText } from './dom.js';
import { drinkPicture } from './drinks.js';
import { drinkName, money, onLanguage, t } from './i18n.js';
import { lookOf } from './menu.js';
import { forget, remember } from './my_orders.js';
import { payForm } from './pay_form.js';
import { reasonOf } from './problems.js';
import { icon, progressPicture } from './progress.js';
import { isCancelled, isEnded, later } from './traces.js';

const key_lifetime = 15 * 60_000; // well below the time for which the server knows a key

export class OrderCard {
  #abort = new AbortController();
  #trouble; // the last answer that was no good, shown until the next one
  #asking = false; // whether to cancel

  /// `order` as in my_orders.js. `page` is told: announce(text), stampsChanged(phoneNumber),
  /// changed(card), removed(card), again(order): a customer wants the like of this order anew.
  constructor(order, page) {
    this.order = order;
    this.page = page;
    this.#build();
    onLanguage(() => this.#show());
  }

  /// Takes up what was under way when the page was left, or begins it.
  resume() {
    const { order } = this;
    if (this.#isWaiting) this.#place();
    else if (order.wish?.kind === 'pay') this.#pay();
    else if (order.wish?.kind === 'cancel') this.#cancel();
  }

  /// The shop has not said yet whether it takes the order.
  get #isWaiting() {
    const { id, refused, unknown, expired } = this.order;
    return id === undefined && !refused && !unknown && !expired;
  }

  get isOpen() {
    return this.order.id !== undefined && !this.order.gone && !isEnded(this.order.status);
  }

  /// Takes what the trace says; what ranks lower than what is known changes nothing.
  take(trace) {
    const status = later(this.order.status, trace.status);
    if (status === this.order.status) return;
    if (status !== 'Order END' && !isCancelled(status)) this.order.paid = true;
    this.#became(status);
  }

  /// Asks the trace, for when the stream may have missed something. False where it did not answer.
  async refresh() {
    const answer = await get(`/orderTraces/${this.order.id}`);
    if (answer.ok) this.take(answer.body);
    else if (answer.status === 404) await this.#mayBeGone();
    return answer.ok || answer.status === 404;
  }

  focus() {
    this.heading.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'nearest' });
  }

  async #place() {
    const { order } = this;
    const { productId, productName, qty, cost, paymentType } = order;
    const answer = await this.#send('POST', '/orders', order.key, order.placed, {
      productId,
      productName,
      qty,
      cost,
      paymentType,
    });
    if (answer.ok) {
      order.id = answer.body.id;
      this.#became('Order END');
      this.page.announce(t('order.placed', { id: order.id }));
      return;
    }
    if (this.#abort.signal.aborted && isCertain(answer)) {
      this.#remove();
      return;
    }
    if (answer.expired) order.expired = true;
    else if (isPassing(answer) && !isCertain(answer)) order.unknown = true;
    else order.refused = true;
    this.#trouble = answer.expired ? undefined : answer;
    this.#save();
  }

  async #pay() {
    const { order } = this;
    const { key, body, asked } = order.wish;
    const answer = await this.#send('PATCH', `/payments/${order.id}`, key, asked, body);
    if (this.#abort.signal.aborted) return; // a cancel has taken its place
    delete order.wish;
    if (answer.ok) {
      order.paid = true;
      this.#became(later(order.status, 'PAY END'));
      if (body.phoneNumber) this.page.stampsChanged(body.phoneNumber);
      return;
    }
    this.#failed(answer, 'PAY END');
  }

  async #cancel() {
    const { order } = this;
    const answer = await this.#send(
      'DELETE',
      `/orders/${order.id}`,
      order.wish.key,
      order.wish.asked,
    );
    delete order.wish;
    if (answer.ok) {
      this.#became('ORDER CANCEL');
      this.page.stampsChanged();
      return;
    }
    this.#failed(answer, 'ORDER CANCEL');
  }

  #send(method, path, key, asked, body) {
    this.#abort = new AbortController();
    this.#trouble = undefined;
    this.#save();
    return attempt(() => request(method, path, { body, key }), {
      signal: this.#abort.signal,
      limit: timeLeft(asked, Date.now(), key_lifetime),
      onWait: (answer) => {
        this.#trouble = answer;
        this.#show();
      },
    }).then((answer) => {
      this.#trouble = undefined;
      return answer;
    });
  }

  #wish(kind, body) {
    this.#abort.abort();
    this.order.wish = { kind, key: newKey(), asked: Date.now(), body };
    if (kind === 'pay') this.#pay();
    else this.#cancel();
  }

  /// `wanted` is the status that the wish would have led to.
  #failed(answer, wanted) {
    const isDone = later(this.order.status, wanted) === this.order.status;
    this.#trouble = answer.expired && isDone ? undefined : answer;
    this.#save();
    this.refresh();
  }

  async #mayBeGone() {
    const answer = await get(`/orders/${this.order.id}`);
    if (answer.status !== 404) return; // the view has not seen it yet
    this.order.gone = true;
    this.#save();
  }

  #became(status) {
    const had = this.order.status;
    const held_focus = this.element.contains(document.activeElement);
    this.order.status = status;
    if (isEnded(status)) this.#asking = false;
    this.#trouble = undefined;
    this.#save();
    if (held_focus && !document.activeElement?.getClientRects().length) this.focus();
    if (had) this.page.announce(`${this.#title()}: ${t(`now.${status}`)}`);
  }

  #save() {
    remember(this.order);
    this.#show();
    this.page.changed(this);
  }

  #remove() {
    forget(this.order);
    this.#abort.abort();
    this.element.remove();
    this.page.removed(this);
  }

  #title() {
    return this.order.id === undefined ? t('order.new') : t('order.number', { id: this.order.id });
  }

  #build() {
    const { order } = this;
    const button = (className, onclick) =>
      el('button', { type: 'button', className, 'data-changes': '', onclick });
    this.heading = el('h3', { tabIndex: -1, id: `order-${order.key}` });
    this.what = el('p', { className: 'what' });
    this.now = el('p', { className: 'now' });
    this.more = el('p', { className: 'quiet' });
    this.trouble = el('p', { className: 'trouble', role: 'status' });
    this.progress = progressPicture();
    this.pay = payForm(order, (body) => this.#wish('pay', body));
    this.cancelButton = button('plain', () => this.#ask(true));
    this.sure = el('p', {});
    this.yes = button('danger', () => this.#wish('cancel'));
    this.no = button('plain', () => this.#ask(false));
    this.confirm = el('div', { className: 'confirm', role: 'group' }, this.sure, this.yes, this.no);
    this.removeButton = button('plain', () =>
      this.#isWaiting ? this.#abort.abort() : this.#remove(),
    );
    this.againButton = button('primary', () => {
      this.#remove();
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
      el('div', { className: 'now-line' }, this.cross, this.now),
      this.more,
      this.trouble,
      this.pay.form,
      el(
        'div',
        { className: 'actions' },
        this.cancelButton,
        this.confirm,
        this.againButton,
        this.removeButton,
      ),
    );
  }

  #ask(asking) {
    this.#asking = asking;
    this.#show();
    (asking ? this.no : this.cancelButton).focus();
  }

  #show() {
    const { order } = this;
    const waiting = this.#isWaiting;
    const cancelling = order.wish?.kind === 'cancel';
    setText(this.heading, this.#title());
    setText(
      this.what,
      `${t('order.cups', { qty: order.qty, drink: drinkName(order.productName) })}` +
        ` · ${money(order.cost)}`,
    );
    setText(this.now, waiting ? t('order.placing') : order.status ? t(`now.${order.status}`) : '');
    setText(this.more, this.#moreText());
    setText(this.trouble, this.#troubleText(waiting));
    this.progress.list.setAttribute('aria-label', t('order.progress', { id: order.id ?? '' }));
    this.progress.update(order.status);
    if (isCancelled(order.status) || !order.status || order.gone) this.progress.list.hidden = true;
    this.cross.hidden = !isCancelled(order.status);
    this.pay.show(
      order.status === 'Order END' && !cancelling && !order.gone,
      order.wish?.kind === 'pay',
    );
    setText(this.cancelButton, t(cancelling ? 'order.cancelling' : 'order.cancel'));
    this.cancelButton.hidden = !this.isOpen || (this.#asking && !cancelling);
    this.cancelButton.disabled = cancelling;
    this.confirm.hidden = !this.isOpen || !this.#asking || cancelling;
    setText(this.sure, t('order.cancelSure', { id: order.id }));
    setText(this.yes, t('order.cancelYes'));
    setText(this.no, t('order.cancelNo'));
    const mayStop = waiting && this.#trouble && isCertain(this.#trouble);
    setText(this.removeButton, t(waiting ? 'order.stop' : 'order.remove'));
    const notTaken = Boolean(order.refused || order.unknown || order.expired);
    setText(this.againButton, t('order.again'));
    this.againButton.hidden = !notTaken;
    this.removeButton.hidden = !(mayStop || notTaken || order.gone || isEnded(order.status));
    this.element.className = `order${isEnded(order.status) ? ' ended' : ''}`;
  }

  #moreText() {
    const { order } = this;
    if (order.gone) return t('order.gone');
    if (order.unknown) return t('order.unknown');
    if (order.expired) return t('order.expired');
    if (order.refused) return t('order.refused');
    if (!isCancelled(order.status)) return '';
    return order.paid ? t('order.refunded', { cost: money(order.cost) }) : t('order.notPaid');
  }

  #troubleText(waiting) {
    if (!this.#trouble) return '';
    const reason = reasonOf(this.#trouble);
    return waiting || this.order.wish ? t('problem.waiting', { reason }) : reason;
  }
}
