// A short sound, without a file. Browsers let a page sound only after somebody touched it.

let audio;
let until = 0; // when the last one ends, on the audio's clock

/// Makes ready to sound; to be called while a touch or a key is handled.
export function tuneChime() {
  const Context = globalThis.AudioContext || globalThis.webkitAudioContext;
  if (!Context) return;
  audio = audio || new Context();
  audio.resume();
}

/// Two rising tones, once for all that comes at once; nothing where the page may not sound.
export function chime() {
  if (!audio || audio.state !== 'running' || audio.currentTime < until) return;
  until = audio.currentTime + 0.5;
  for (const [pitch, delay] of [
    [660, 0],
    [880, 0.18],
  ]) {
    const begin = audio.currentTime + delay;
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, begin);
    loudness.gain.exponentialRampToValueAtTime(0.3, begin + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + 0.3);
    tone.connect(loudness).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.32);
  }
}
