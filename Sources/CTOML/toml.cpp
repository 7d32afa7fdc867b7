// TOML 1.0 by toml++, without exceptions: they can't cross into Swift.
#include "CTOML.h"

#include <algorithm>
#include <string_view>

// The parser asserts what a document may break, `[=` for one, and goes on to say what is wrong with it. With NDEBUG the
// compiler would rely on what is asserted.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace {

class Reporter {
public:
    Reporter(void (*report)(const workq_toml_value *, void *), void *context) : report(report), context(context) {}

    void document(const toml::table &sections) {
        for (auto &&[key, value] : sections) {
            if (!value.is_table()) this->value(key.str(), value);
        }
        for (auto &&[name, section] : sections) {
            if (!section.is_table()) continue;
            line = 0;
            tell(WORKQ_TOML_SECTION, name.str());
            for (auto &&[key, value] : *section.as_table()) this->value(key.str(), value);
        }
    }

private:
    void (*report)(const workq_toml_value *, void *);
    void *context;
    long line = 0;

    void value(std::string_view key, const toml::node &value) {
        line = value.source().begin.line;
        if (auto text = value.as_string()) {
            tell(WORKQ_TOML_TEXT, key, text->get());
        } else if (auto number = value.as_integer()) {
            tell(WORKQ_TOML_NUMBER, key, {}, number->get());
        } else if (auto flag = value.as_boolean()) {
            tell(WORKQ_TOML_FLAG, key, {}, flag->get() ? 1 : 0);
        } else if (auto list = value.as_array()) {
            tell(WORKQ_TOML_LIST, key);
            line = 0;
            for (auto &&item : *list) {
                auto text = item.as_string();
                tell(text ? WORKQ_TOML_TEXT_ITEM : WORKQ_TOML_OTHER_ITEM, key, text ? text->get() : "");
            }
        } else {
            tell(WORKQ_TOML_OTHER, key);
        }
    }

    void tell(workq_toml_kind kind, std::string_view key, std::string_view text = {}, int64_t number = 0) {
        // A view of nothing may have no address.
        auto address = [](std::string_view view) { return view.data() ? view.data() : ""; };
        workq_toml_value value = {kind, address(key), key.size(), address(text), text.size(), number, line};
        report(&value, context);
    }
};

}  // namespace

long workq_toml_read(const char *document, size_t length, void (*report)(const workq_toml_value *, void *),
                     void *context) {
    auto result = toml::parse(std::string_view(document, length));
    if (!result) return std::max<long>(1, result.error().source().begin.line);
    Reporter(report, context).document(result.table());
    return 0;
}
