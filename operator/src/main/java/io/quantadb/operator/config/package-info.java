/** What a person can set for the operator itself: environment variables {@code QUANTADB_…} of its Deployment. */
@NullMarked
package io.quantadb.operator.config;

import org.jspecify.annotations.NullMarked;
