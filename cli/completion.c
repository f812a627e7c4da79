/*
 * Scripts for the completions of shells: see completion.h.
 */
#include "cli/completion.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* The second word of "completion": what the table of shells has. */
#define SHELLS "bash zsh"

/* First words besides the commands. */
#define OTHER_WORDS "help completion --help --version"

/* The value of an option that has a letter is that letter. */
static bool
has_letter(const struct option *opt)
{
	return (opt->val < OPT_JSON);
}

/* ---- bash ---- */

static void
bash_options(const struct syntax *syntax)
{
	printf("\t%s) [ -z \"$cur\" ] || words='", syntax->sy_name);
	for (const struct option *o = syntax->sy_long; o->name != NULL; o++) {
		printf("--%s ", o->name);
		if (has_letter(o))
			printf("-%c ", o->val);
	}
	printf("' ;;\n");
}

static void
bash(const struct command *commands, size_t ncommands)
{
	printf("# Made by \"vmcore completion bash\".\n"
	       "_vmcore()\n"
	       "{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	       "\tlocal commands='");
	for (size_t i = 0; i < ncommands; i++)
		printf("%s ", commands[i].c_syntax->sy_name);
	printf("'\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < ncommands; i++)
		bash_options(commands[i].c_syntax);
	printf("\thelp) words=$commands ;;\n"
	       "\tcompletion) words='" SHELLS "' ;;\n"
	       "\tesac\n"
	       "\t[ \"$COMP_CWORD\" -gt 1 ] ||\n"
	       "\t\twords=\"$commands " OTHER_WORDS "\"\n"
	       "\t# Without words, bash completes names of files.\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	       "}\n"
	       "complete -o default -F _vmcore vmcore\n");
}

/* ---- zsh ---- */

/* Print text inside of single quotes, with colons escaped: they separate. */
static void
zsh_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == ':')
			putchar('\\');
		if (*text == '\'')
			fputs("'\\'", stdout);
		putchar(*text);
	}
}

static void
zsh_options(const struct syntax *syntax)
{
	printf("\t%s) _arguments", syntax->sy_name);
	for (const struct option *o = syntax->sy_long; o->name != NULL; o++) {
		const char *takes =
		    o->has_arg == no_argument ? "" : ":argument:_files";

		printf(" '--%s%s%s'", o->name, *takes == '\0' ? "" : "=",
		    takes);
		if (has_letter(o))
			printf(" '-%c%s'", o->val, takes);
	}
	printf(" '*:file:_files' ;;\n");
}

static void
zsh(const struct command *commands, size_t ncommands)
{
	printf("#compdef vmcore\n"
	       "# Made by \"vmcore completion zsh\".\n"
	       "_vmcore()\n"
	       "{\n"
	       "\tlocal -a commands=(");
	for (size_t i = 0; i < ncommands; i++) {
		printf("\n\t\t'%s:", commands[i].c_syntax->sy_name);
		zsh_text(commands[i].c_summary);
		putchar('\'');
	}
	printf("\n\t)\n"
	       "\tif (( CURRENT == 2 )); then\n"
	       "\t\t_describe command commands\n"
	       "\t\tcompadd " OTHER_WORDS "\n"
	       "\t\treturn\n"
	       "\tfi\n"
	       "\tshift words\n"
	       "\t(( CURRENT-- ))\n"
	       "\tcase $words[1] in\n");
	for (size_t i = 0; i < ncommands; i++)
		zsh_options(commands[i].c_syntax);
	printf("\thelp) _describe command commands ;;\n"
	       "\tcompletion) compadd " SHELLS " ;;\n"
	       "\tesac\n"
	       "}\n"
	       "_vmcore \"$@\"\n");
}

/* ---- the command ---- */

static const struct shell {
	const char *sh_name;
	void (*sh_print)(const struct command *commands, size_t ncommands);
} shells[] = {
	{ "bash", bash },
	{ "zsh", zsh },
};

static const struct shell *
find_shell(const char *name)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(name, shells[i].sh_name) == 0)
			return (&shells[i]);
	return (NULL);
}

int
completion_print(const struct command *commands, size_t ncommands, int argc,
    char **argv)
{
	const struct shell *shell = argc == 2 ? find_shell(argv[1]) : NULL;

	if (shell != NULL) {
		shell->sh_print(commands, ncommands);
		return (EX_OK);
	}
	if (argc == 2)
		warnx("completion: unknown shell: %s", argv[1]);
	else
		warnx("completion: name one shell");
	fprintf(stderr, "usage: vmcore completion bash | zsh\n");
	return (EX_USAGE);
}
