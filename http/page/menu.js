// The shop's ten drinks. `look` says how a drink is drawn; prices are whole won.

export const menu = [
  { productId: 1, productName: 'Coffee', price: 4000, look: { glass: 'mug', liquid: 'coffee' } },
  { productId: 2, productName: 'RedTea', price: 4500, look: { glass: 'mug', liquid: 'red-tea' } },
  {
    productId: 3,
    productName: 'Coffee Large',
    price: 4500,
    look: { glass: 'tall', liquid: 'coffee' },
  },
  { productId: 4, productName: 'IceTea', price: 4500, look: { glass: 'iced', liquid: 'ice-tea' } },
  {
    productId: 5,
    productName: 'LemonAde',
    price: 5500,
    look: { glass: 'iced', liquid: 'lemon', slice: 'lemon' },
  },
  {
    productId: 6,
    productName: 'OrangeAde',
    price: 5500,
    look: { glass: 'iced', liquid: 'orange', slice: 'orange' },
  },
  {
    productId: 7,
    productName: 'Latte',
    price: 5000,
    look: { glass: 'mug', liquid: 'latte', foam: true },
  },
  {
    productId: 8,
    productName: 'WhiteChoco',
    price: 5500,
    look: { glass: 'tall', liquid: 'white-choco', foam: true },
  },
  {
    productId: 9,
    productName: 'EarlGrey',
    price: 5000,
    look: { glass: 'mug', liquid: 'earl-grey' },
  },
  {
    productId: 10,
    productName: 'RedTea Large',
    price: 5000,
    look: { glass: 'tall', liquid: 'red-tea' },
  },
];

/// How a drink by this name is drawn; an ordinary mug for one that is not on the menu.
export function lookOf(productName) {
  return menu.find((drink) => drink.productName === productName)?.look ?? menu[0].look;
}
