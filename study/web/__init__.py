"""The live page: what a store holds, in a browser, while studies train and after. It only reads."""
