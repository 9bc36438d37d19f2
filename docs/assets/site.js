// What is wider than a phone can be scrolled by keyboard, too: the theme puts each table into a frame of its own once a page is shown.
document$.subscribe(function () {
  requestAnimationFrame(function () {
    document.querySelectorAll(".md-typeset__scrollwrap, .md-content pre > code, .highlight-ipynb, .jp-OutputArea-output, .labinterp-glance").forEach(function (frame) {
      if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
    });
  });
});
